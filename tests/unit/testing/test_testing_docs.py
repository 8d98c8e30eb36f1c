"""The example in docs/producer.md runs as it is printed, with the fixture that it names."""

import re

from harness import ROOT
from renderline.testing import FakeRenderline


def test_the_example_of_the_page_runs():
    section = (ROOT / "docs" / "producer.md").read_text().partition("\n## Testing\n")[2].partition("\n## ")[0]
    setup, example = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    names = {}
    exec(setup, names)
    (module,) = names["pytest_plugins"]
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    exec(example, names)
    names["test_a_late_video_is_billed_once"](FakeRenderline())
