"""Where recording, planning, values and bytes meet. Only ``ipython`` knows IPython."""
