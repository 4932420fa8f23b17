"""The pages of the Python package: ``sphinx-build -W python/docs OUT``."""

from relrv import __version__

project = "relrv"
author = "the authors of relrv"
release = __version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_nb"]
html_theme = "furo"
exclude_patterns = ["_build"]
autosummary_generate = False
autodoc_default_options = {"members": True, "undoc-members": False}
autodoc_member_order = "bysource"
autodoc_typehints = "none"
default_role = "py:obj"
numpydoc_show_class_members = False
# The notebook is executed whenever the pages are made, and an error in it is one of theirs.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_in_temp = True
myst_enable_extensions = ["dollarmath"]
