"""Values of xgboost."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "classifier",
        "xgboost-cpu",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nfrom xgboost import XGBClassifier\nx = XGBClassifier(n_estimators=2, n_jobs=1)",
        change="_ = x.fit(X, y)",
        facts="x.predict_proba(X).tolist()",
        compared="probabilities",
        module="xgboost",
    ),
    Kind(
        "booster",
        "xgboost-cpu",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nimport xgboost as xgb\nx = xgb.train({'nthread': 1}, xgb.DMatrix(X, y), 2)",
        change="x.set_attr(note='1')",
        facts="(x.predict(xgb.DMatrix(X)).tolist(), x.attributes(), x.num_boosted_rounds())",
        compared="predictions, attributes, rounds",
        module="xgboost",
    ),
    Kind(
        "data matrix",
        "xgboost-cpu",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nimport xgboost as xgb\nx = xgb.DMatrix(X, y)",
        change="x.set_weight(y + 1)",
        facts="(x.get_label().tolist(), x.num_row(), x.get_weight().tolist())",
        compared="labels, weights",
        module="xgboost",
        outcome="rerun",
        quiet=False,
        reason="cannot",
    ),
)
