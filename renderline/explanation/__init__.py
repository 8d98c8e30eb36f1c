"""Why a render is not done yet, or what it ended with, as one sentence for people.

`explain` is a pure function; `Explainer` reads the condition of renders from the ledger first.
"""

from renderline.explanation.explainer import Explainer
from renderline.explanation.part import Explanation
from renderline.explanation.sentence import explain

__all__ = ["Explainer", "Explanation", "explain"]
