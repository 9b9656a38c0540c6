"""Values of statsmodels."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "model",
        "statsmodels",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nimport statsmodels.api as sm\nx = sm.OLS(X[:, 0], X[:, 1:])",
        change="x.note = 1",
        facts="(x.endog.tolist(), x.exog.tolist(), x.fit().params.tolist(), x.note)",
        compared="data, fit",
    ),
    Kind(
        "results",
        "statsmodels",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nimport statsmodels.api as sm\nx = sm.OLS(X[:, 0], X[:, 1:]).fit()",
        change="x.params[0] = 9",
        facts="(x.params.tolist(), x.rsquared.item() if hasattr(x.rsquared, 'item') else x.rsquared)",
        compared="parameters, fit",
    ),
    Kind(
        "generalised linear model",
        "statsmodels",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nimport statsmodels.api as sm\nx = sm.GLM(y, X, family=sm.families.Binomial()).fit()",
        change="x.note = 1",
        facts="(x.params.tolist(), x.predict(X).tolist(), x.note)",
        compared="parameters, predictions",
    ),
    Kind(
        "formula",
        "statsmodels",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nimport statsmodels.api as sm\nimport pandas as pd\nimport statsmodels.formula.api as smf\nx = smf.ols('a ~ b', pd.DataFrame(X, columns=list('abc'))).fit()",
        change="x.note = 1",
        facts="(x.params.tolist(), x.predict(pd.DataFrame({'b': [0.5]})).tolist(), x.note)",
        compared="parameters, predictions",
    ),
    Kind(
        "autoregression",
        "statsmodels",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nimport statsmodels.api as sm\nfrom statsmodels.tsa.ar_model import AutoReg\nx = AutoReg(X[:, 0], 1).fit()",
        change="x.note = 1",
        facts="(x.params.tolist(), x.forecast(2).tolist(), x.note)",
        compared="parameters, forecast",
    ),
)
