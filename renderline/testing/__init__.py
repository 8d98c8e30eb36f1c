"""A stand-in for Renderline in the tests of services that enqueue renders. Standard library and pytest only.

    # conftest.py
    pytest_plugins = ["renderline.testing.fixtures"]

    # a test
    from renderline.producer import enqueue_render, wait_for

    def test_a_customer_gets_a_video(renderline):
        render_id = enqueue_render(renderline.app, {"kind": "project", "scenes": [...]}, key="order-A-17")
        assert wait_for(renderline.app, render_id, timeout=900).state == "delivered"

The producer module is the real one. What stands behind it (broker, workers, vendor, hooks) happens in this process, in
time that passes only when somebody waits for it: a render of ten minutes takes milliseconds.
"""

from renderline.testing.clock import Clock
from renderline.testing.deliveries import Delivered, sign, verify
from renderline.testing.scenario import Scenario
from renderline.testing.system import FakeRenderline

__all__ = ["Clock", "Delivered", "FakeRenderline", "Scenario", "sign", "verify"]
