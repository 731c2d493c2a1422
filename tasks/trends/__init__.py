"""Many runs: the history of a pipeline, and the comparison of two runs."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.trends.comparing.build import compare_runs
    from tasks.trends.comparing.find import NotAReport
    from tasks.trends.comparing.markdown import render_markdown
    from tasks.trends.comparing.text import print_text
    from tasks.trends.history.archive import FOLDER, archive
    from tasks.trends.history.page import write_history
else:
    __all__, __getattr__ = face(__name__, __file__)
