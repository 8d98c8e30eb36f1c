"""docs/backup.md restores Debian's Redis as a service: its block as printed, with another folder and no systemd."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import ROOT

PAGE = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
(BLOCK,) = re.findall(
    r"^ *```sh\n( *sudo systemctl stop redis-server\n.*?)^ *```$", PAGE, flags=re.MULTILINE | re.DOTALL
)

# Stand-ins for what a test cannot have: root, the user redis, systemd.
_STAND_INS = """\
set -eu
sudo() { "$@"; }
install() { command install $(printf '%s\\n' "$@" | sed '/^-[og]$/,+1d'); }
redis-cli() { command redis-cli -s "$PWD/redis.sock" "$@"; }
systemctl() {
  case $1 in
  stop) redis-cli shutdown ;;
  start) redis-server "$PWD/redis.conf" ;;
  esac
  if [ "$1" = start ]; then until [ "$(redis-cli ping 2>&1)" = PONG ]; do sleep 0.05; done; fi
}
"""
_CONF = """\
port 0
unixsocket {folder}/redis.sock
dir {folder}/lib
pidfile {folder}/pid
logfile {folder}/log
daemonize yes
appendonly yes
repl-diskless-sync-delay 0
"""


def test_debians_redis_has_the_snapshot_also_after_a_restart(tmp_path: Path) -> None:
    if why := next((f"no {name}" for name in ("redis-server", "redis-cli") if not shutil.which(name)), None):
        assert not os.environ.get("CI"), why
        pytest.skip(why)
    (tmp_path / "lib").mkdir()
    (tmp_path / "redis.conf").write_text(_CONF.format(folder=tmp_path))
    block = BLOCK.replace("/var/lib/redis", f"{tmp_path}/lib").replace(
        "/etc/redis/redis.conf", f"{tmp_path}/redis.conf"
    )
    before = "systemctl start\nredis-cli set kept yes\nredis-cli --rdb renderline.rdb\nredis-cli flushall\n"
    # As the page says before the block.
    waited = "until redis-cli info persistence | grep -q aof_rewrite_in_progress:0; do sleep 0.05; done\n"
    after = f"{waited}systemctl stop\nsystemctl start\nredis-cli get kept\nredis-cli config get appendonly\n"
    ended = "trap 'redis-cli shutdown nosave' EXIT\n"
    script = f"{_STAND_INS}{ended}{before}{block}\necho --- restarted\n{after}"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.partition("--- restarted\n")[2].split() == ["yes", "appendonly", "yes"]
