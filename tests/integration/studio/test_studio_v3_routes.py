"""The v3 routes beyond projects over real HTTP: what each call sends, and what it reads in every form."""

import pytest
from scripted_vendor import bad, good, hang_up, reply

from renderline.studio import (
    AudioFile,
    CustomAvatar,
    Generated,
    OutcomeUnknown,
    PayloadRefused,
    ProjectMissing,
    StudioV3,
    UploadedDocument,
    VendorUnavailable,
    patient,
)

ROOT = "/api/odin/v3"
ID = "65fa6b07dca2e367461a2925"
DOCUMENT = UploadedDocument("39b2.pptx", "sample.pptx")
SPOKEN = {"language": "en", "text": "Hello.", "model": "M1"}
PERSON = ("https://media.example.com/me.mp4", "Anna", "FEMALE")


@pytest.mark.contradiction(5)
def test_simple_custom_always_says_whether_to_export(studio, vendor):
    vendor.will(good({"projectId": ID, "taskId": "t"}), good({"projectId": ID}))
    assert studio.create_simple_custom(SPOKEN, export=True) == ID
    assert studio.create_simple_custom(SPOKEN, export=False) == ID
    assert [(one.path, one.body) for one in vendor.seen] == [
        (f"{ROOT}/simple/custom", {**SPOKEN, "isExport": True}),
        (f"{ROOT}/simple/custom", {**SPOKEN, "isExport": False}),
    ]


@pytest.mark.contradiction(7)
@pytest.mark.parametrize("field", ["downloadUrl", "download_url"])
def test_audio_answers_with_its_file(studio, vendor, field):
    vendor.will(good({"fileName": "a.wav", field: "https://cdn.example.com/a.wav", "metaList": [{}]}))
    assert studio.create_audio(SPOKEN) == AudioFile("https://cdn.example.com/a.wav", "a.wav")
    assert (vendor.seen[0].path, vendor.seen[0].body) == (f"{ROOT}/simple/audio", SPOKEN)


def test_read_project_returns_all_of_it(studio, vendor):
    project = {"_id": ID, "scenes": [{"clips": [{"tag": "headline"}], "scripts": [{"org": "Hi"}] * 2}], "other": 1.5}
    vendor.will(good({"project": project}), good(project), good({}), bad(1, "gone", status=404))
    assert studio.read_project(ID) == project
    assert studio.read_project(ID) == project
    with pytest.raises(VendorUnavailable, match="no project"):
        studio.read_project(ID)
    with pytest.raises(ProjectMissing):
        studio.read_project(ID)


@pytest.mark.contradiction(18, 21)
@pytest.mark.parametrize(
    ("what", "path"), [("topic", "topic_to_video"), ("url", "url_to_video"), ("scripts", "scripts_to_video")]
)
def test_a_project_is_generated_at_the_documented_path(studio, vendor, what, path):
    vendor.will(good({"projectId": ID, "automationJobId": "job"}), good({"projectId": ID}))
    assert studio.generate(what, "Bees", {"duration": 60}) == Generated(ID, "job")
    assert studio.generate(what, "Bees") == Generated(ID, None)
    assert [(one.path, one.body) for one in vendor.seen] == [
        (f"{ROOT}/automation/{path}", {what: "Bees", "options": {"duration": 60}}),
        (f"{ROOT}/automation/{path}", {what: "Bees", "options": {}}),
    ]


@pytest.mark.contradiction(20)
def test_a_project_is_generated_from_documents(studio, vendor):
    vendor.will(good({"projectId": ID}))
    assert studio.generate_from_documents([DOCUMENT], {"language": "en"}) == ID
    assert (vendor.seen[0].path, vendor.seen[0].body) == (
        f"{ROOT}/automation/docs-to-video",
        {"files": [{"uri": "39b2.pptx", "fileName": "sample.pptx"}], "options": {"language": "en"}},
    )


@pytest.mark.contradiction(9)
@pytest.mark.parametrize(
    ("data", "finished"),
    [
        ({"state": "finish", "progress": 100}, True),
        ({"state": "FINISH", "progress": "100.0"}, True),
        ({"state": "finish", "progress": 99.9}, False),
        ({"state": "finish"}, False),
        ({"state": "running", "progress": 100}, False),
        ({"progress": 100}, False),
        ({"state": "exported", "progress": 100}, False),
        ({"state": "complete", "progress": 50}, False),
    ],
)
def test_a_generation_is_finished_only_by_state_and_progress_together(studio, vendor, data, finished):
    vendor.will(good(data))
    found = studio.generation_progress(ID)
    assert (found.finished, found.done) == (finished, finished)
    assert vendor.seen[0].path == f"{ROOT}/automation/progress?projectId={ID}"


@pytest.mark.contradiction(17)
def test_a_generation_that_failed_keeps_its_state_and_reason(studio, vendor):
    vendor.will(good({"state": "failed", "progress": 12, "error": {"code": 7, "msg": "no such page"}}), good(None))
    found = studio.generation_progress("a&b")
    assert (found.state, found.progress, found.error_code, found.error_message) == ("failed", 12.0, "7", "no such page")
    assert vendor.seen[0].path == f"{ROOT}/automation/progress?projectId=a%26b"
    with pytest.raises(VendorUnavailable):
        studio.generation_progress(ID)


@pytest.mark.parametrize(
    "container", [lambda rows: rows, lambda rows: {"list": rows}, lambda rows: {"n": 1, "x": rows}]
)
@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("model_list", "dropdown/models"),
        ("business_templates", "dropdown/templates_business"),
        ("workspaces", "dropdown/workspaces"),
        ("models", "model"),
    ],
)
def test_a_pick_list_is_read_in_any_container(studio, vendor, container, call, path):
    vendor.will(good(container([{"id": "a"}, "odd", {"id": "b"}])))
    assert getattr(studio, call)() == [{"id": "a"}, {"id": "b"}]
    assert (vendor.seen[0].method, vendor.seen[0].path) == ("GET", f"{ROOT}/{path}")


@pytest.mark.contradiction(16)
def test_automation_templates_are_asked_for_in_query_and_body(studio, vendor):
    vendor.will(good([{"id": "t"}]), hang_up)
    assert studio.automation_templates("social", orientation="mobile", file_background=True) == [{"id": "t"}]
    seen = vendor.seen[0]
    asked = "category=social&orientation=mobile&fileBackground=true"
    assert (seen.method, seen.path) == ("POST", f"{ROOT}/dropdown/templates_automation?{asked}")
    assert seen.body == {"category": "social", "orientation": "mobile", "fileBackground": "true"}
    with pytest.raises(VendorUnavailable):
        studio.automation_templates("social")


GENERATORS = {
    "text": (lambda studio: studio.generate_text("Bees"), "text", {"topic": "Bees"}),
    "image": (
        lambda studio: studio.generate_image("Bees", "3D", "SQUARE"),
        "image",
        {"topic": "Bees", "style": "3D", "size": "SQUARE"},
    ),
    "video": (lambda studio: studio.generate_video("Bees"), "video", {"topic": "Bees"}),
    "voice": (
        lambda studio: studio.generate_voice("Hi", "v1", "google", "en"),
        "voice",
        {"script": "Hi", "model": "v1", "type": "google", "language": "en"},
    ),
}


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_answers_in_the_call(studio, vendor, name):
    call, path, body = GENERATORS[name]
    script = "Bees hum. " * 2000
    vendor.will(good({"script": script, "downloadUrl": "https://cdn.example.com/x"}))
    assert call(studio) == (script if name == "text" else "https://cdn.example.com/x")
    assert (vendor.seen[0].path, vendor.seen[0].body) == (f"{ROOT}/tools/{path}-generator", body)


def test_avatars_and_voices(studio, vendor):
    url, name, gender = PERSON
    vendor.will(
        good({"avatarId": "A", "voiceId": "V"}), good({"avatarId": 7}), good({"avatarId": "D"}), good({"voiceId": "V"})
    )
    assert studio.create_custom_avatar(*PERSON, is_webcam=True) == CustomAvatar("A", "V")
    assert studio.create_custom_avatar(*PERSON, locale="ko", per_frame=False) == CustomAvatar("7", None)
    assert studio.create_dream_avatar(*PERSON) == "D"
    assert studio.clone_voice(*PERSON, locale="ko") == "V"
    person = {"url": url, "name": name, "gender": gender}
    assert [(one.path, one.body) for one in vendor.seen] == [
        (f"{ROOT}/avatars/customavatar", {**person, "locale": "en", "perFrame": True, "isWebcam": True}),
        (f"{ROOT}/avatars/customavatar", {**person, "locale": "ko", "perFrame": False, "isWebcam": False}),
        (f"{ROOT}/avatars/dreamavatar", person),
        (f"{ROOT}/avatars/voiceclone", {**person, "locale": "ko"}),
    ]


EFFECTS = {
    "simple_custom": lambda studio: studio.create_simple_custom(SPOKEN, export=True),
    "audio": lambda studio: studio.create_audio(SPOKEN),
    "topic": lambda studio: studio.generate("topic", "Bees"),
    "documents": lambda studio: studio.generate_from_documents([DOCUMENT]),
    "custom avatar": lambda studio: studio.create_custom_avatar(*PERSON),
    "dream avatar": lambda studio: studio.create_dream_avatar(*PERSON),
    "voice clone": lambda studio: studio.clone_voice(*PERSON),
    **{f"generate {name}": call for name, (call, _, _) in GENERATORS.items()},
}


@pytest.mark.parametrize("name", EFFECTS)
def test_a_call_that_may_cost_has_an_unknown_outcome_without_a_readable_answer(studio, vendor, name):
    vendor.will(hang_up, good({}), good(None), reply({"success": True}), bad(1, "x", status=500))
    for _ in range(5):
        with pytest.raises(OutcomeUnknown):
            EFFECTS[name](studio)
    assert len(vendor.seen) == 5


@pytest.mark.parametrize("name", EFFECTS)
def test_a_call_that_may_cost_is_refused_by_the_vendors_word(studio, vendor, name):
    vendor.will(bad(4000, "no such model", status=400))
    with pytest.raises(PayloadRefused, match="no such model"):
        EFFECTS[name](studio)


def test_an_answer_in_the_call_may_take_the_whole_exchange(vendor, tokens):
    """The read timeout is for calls that answer at once; those that work first get the total time."""

    def late(handler):
        handler.server.released.wait(0.6)
        good({"downloadUrl": "https://cdn.example.com/a.wav", "progress": 1})(handler)

    client = StudioV3(vendor.url, tokens=tokens, read_timeout=0.2, total_timeout=5.0)
    vendor.will(late, late)
    assert client.create_audio(SPOKEN).url == "https://cdn.example.com/a.wav"
    with pytest.raises(VendorUnavailable, match="timed out"):
        client.progress(ID)
    client.close()


def test_a_caller_without_a_claim_may_wait_longer_for_slow_calls_alone(vendor, tokens):
    def late(handler):
        handler.server.released.wait(0.5)
        good({"script": "Bees.", "progress": 1})(handler)

    client = StudioV3(vendor.url, tokens=tokens, read_timeout=0.2, total_timeout=0.2)
    vendor.will(late, late, late)
    with patient(5.0):
        assert client.generate_text("bees") == "Bees."
        with pytest.raises(VendorUnavailable):
            client.progress(ID)
    with pytest.raises(OutcomeUnknown):
        client.generate_text("bees")
    client.close()
