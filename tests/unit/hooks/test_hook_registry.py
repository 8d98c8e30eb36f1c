"""Hook kinds that installed packages add through entry points."""

import pytest

from renderline.hooks import CeleryHook, DownloadHook, load_kinds

PLUGIN = """
from marshmallow import Schema, fields

class ShoutSchema(Schema):
    type = fields.String(required=True)

class Shout:
    type = "shout"
    schema = ShoutSchema()
    def wants(self, event, hook=None): return event == "render.completed"
    def problem(self, hook): return None
    def deliver(self, hook, delivery): return {"shouted": delivery.record["name"].upper()}

shout = Shout()

def make():
    return Shout()

def broken():
    raise RuntimeError("no voice")

nothing = 7

class Celery(Shout):
    type = "celery"

class Loud(Shout):
    type = "Loud Shout"
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package, as pip would lay it out, that adds the given entry point."""

    def lay_out(target):
        (tmp_path / "shout_plugin.py").write_text(PLUGIN)
        info = tmp_path / "shout-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shout\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[renderline.hooks]\nshouting = {target}\n")
        monkeypatch.syspath_prepend(tmp_path)

    yield lay_out
    import sys

    sys.modules.pop("shout_plugin", None)


def test_built_in_kinds_by_type():
    download, celery = DownloadHook(None), CeleryHook(print)
    assert load_kinds(download, celery) == {"download": download, "celery": celery}


@pytest.mark.parametrize("target", ["shout_plugin:shout", "shout_plugin:Shout", "shout_plugin:make"])
def test_entry_point_may_name_an_object_a_class_or_a_function(install, target):
    install(target)
    kinds = load_kinds(CeleryHook(print))
    assert sorted(kinds) == ["celery", "shout"]
    assert kinds["shout"].wants("render.completed")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("shout_plugin:nothing", "cannot be loaded"),
        ("shout_plugin:broken", "no voice"),
        ("shout_plugin:missing", "cannot be loaded"),
        ("missing_plugin:kind", "cannot be loaded"),
        ("shout_plugin:ShoutSchema", "is no hook kind"),
        ("shout_plugin:Celery", "already a hook kind of the type 'celery'"),
        ("shout_plugin:Loud", "must be a lower-case word"),
    ],
)
def test_a_kind_that_cannot_be_used_stops_the_start_and_names_its_package(install, target, says):
    install(target)
    with pytest.raises(ValueError, match=says) as caught:
        load_kinds(CeleryHook(print))
    assert "shouting" in str(caught.value)
    assert "shout" in str(caught.value)
    assert target in str(caught.value)


def test_two_kinds_of_one_type_are_refused():
    with pytest.raises(ValueError, match="already a hook kind of the type 'celery'"):
        load_kinds(CeleryHook(print), CeleryHook(print))
