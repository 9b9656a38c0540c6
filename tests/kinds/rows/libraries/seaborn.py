"""Values of seaborn."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "facet grid",
        "seaborn",
        make="import matplotlib\nmatplotlib.use('agg')\nfrom matplotlib.figure import Figure\nimport matplotlib.pyplot as plt\nimport seaborn as sns, pandas as pd\nx = sns.FacetGrid(pd.DataFrame({'a': [1, 2, 3], 'b': list('uvu')}), col='b')",
        change="_ = x.map(plt.hist, 'a')",
        facts="import hashlib, io\ndef picture(figure):\n    from matplotlib.backends.backend_agg import FigureCanvasAgg\n    canvas = FigureCanvasAgg(figure)\n    canvas.draw()\n    return hashlib.md5(bytes(canvas.buffer_rgba())).hexdigest()\npicture(x.figure)",
        compared="picture",
        finish="import matplotlib.pyplot as plt\nplt.close('all')",
    ),
    Kind(
        "pair grid",
        "seaborn",
        make="import matplotlib\nmatplotlib.use('agg')\nfrom matplotlib.figure import Figure\nimport matplotlib.pyplot as plt\nimport seaborn as sns, pandas as pd\nx = sns.PairGrid(pd.DataFrame({'a': [1, 2, 3], 'b': [3, 1, 2]}))",
        change="_ = x.map(plt.scatter)",
        facts="import hashlib, io\ndef picture(figure):\n    from matplotlib.backends.backend_agg import FigureCanvasAgg\n    canvas = FigureCanvasAgg(figure)\n    canvas.draw()\n    return hashlib.md5(bytes(canvas.buffer_rgba())).hexdigest()\npicture(x.figure)",
        compared="picture",
        finish="import matplotlib.pyplot as plt\nplt.close('all')",
    ),
    Kind(
        "axes of a plot",
        "seaborn",
        make="import matplotlib\nmatplotlib.use('agg')\nfrom matplotlib.figure import Figure\nimport matplotlib.pyplot as plt\nimport seaborn as sns\nx = sns.lineplot(x=[1, 2], y=[2, 1])",
        change="_ = x.set_title('t')",
        facts="import hashlib, io\ndef picture(figure):\n    from matplotlib.backends.backend_agg import FigureCanvasAgg\n    canvas = FigureCanvasAgg(figure)\n    canvas.draw()\n    return hashlib.md5(bytes(canvas.buffer_rgba())).hexdigest()\npicture(x.figure)",
        compared="picture",
        finish="import matplotlib.pyplot as plt\nplt.close('all')",
    ),
)
