"""Values of lightgbm."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "classifier",
        "lightgbm",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nfrom lightgbm import LGBMClassifier\nx = LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1, min_child_samples=2)",
        change="_ = x.fit(X, y)",
        facts="x.booster_.predict(X).tolist()",
        compared="probabilities",
    ),
    Kind(
        "booster",
        "lightgbm",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nimport lightgbm as lgb\nx = lgb.train({'verbose': -1, 'num_threads': 1, 'min_data_in_leaf': 2}, lgb.Dataset(X, y), 2)",
        change="x.best_iteration = 1",
        facts="(x.predict(X).tolist(), x.best_iteration, x.num_trees())",
        compared="predictions, rounds",
    ),
    Kind(
        "data set",
        "lightgbm",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nimport lightgbm as lgb\nx = lgb.Dataset(X, y, params={})",
        change="x.params['max_bin'] = 7",
        facts="(x.data.tolist(), x.label.tolist(), x.params)",
        compared="data, labels",
        alias="x.data is X",
    ),
    Kind(
        "constructed data set",
        "lightgbm",
        make="import numpy as np\nX = np.random.RandomState(0).rand(30, 3)\ny = (X[:, 0] > 0.5).astype(int)\nimport lightgbm as lgb\nx = lgb.Dataset(X, y, params={'verbose': -1}).construct()",
        change="_ = x.set_weight(y + 1.0)",
        facts="(x.num_data(), x.get_label().tolist(), x.get_weight().tolist())",
        compared="labels, weights",
        outcome="rerun",
        quiet=False,
        reason="cannot",
    ),
)
