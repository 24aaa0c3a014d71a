"""Documents and child processes: what survives, and what must not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from localaws.core.processes import Processes
from localaws.documents import Documents


def test_documents_keep_their_order_and_their_times(tmp_path: Path) -> None:
    file = tmp_path / "documents.sqlite"
    first = Documents(file)
    when = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    first.put("job", "b", {"at": when})
    first.put("job", "a", {"n": [1, {"x": None}]})
    first.put("job", "b", {"at": when, "again": True})
    first.close()

    second = Documents(file)
    assert second.items("job") == [
        ("b", {"at": when, "again": True}),
        ("a", {"n": [1, {"x": None}]}),
    ]
    assert not second.insert("job", "a", {})
    assert second.delete("job", "a")
    assert not second.delete("job", "a")
    assert second.get("job", "a") is None
    second.close()


def test_an_acknowledged_document_survives_kill_9(tmp_path: Path) -> None:
    file = tmp_path / "documents.sqlite"
    script = (
        "import os, signal, sys; from pathlib import Path;"
        "from localaws.documents import Documents;"
        "d = Documents(Path(sys.argv[1]));"
        "[d.put('k', str(i), {'i': i}) for i in range(100)];"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(file)], check=False)

    assert done.returncode == -9
    documents = Documents(file)
    assert len(documents.items("k")) == 100
    documents.close()


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path, "http://127.0.0.1:1", "us-east-1")


def test_stopping_a_child_stops_what_it_started(processes: Processes, tmp_path: Path) -> None:
    script = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True);"
    script += "import time; time.sleep(60)"
    log = tmp_path / "log"
    child = processes.start(
        "parent", [sys.executable, "-c", script], env=processes.environment(), cwd=tmp_path, log=log
    )
    grandchild = int(wait_for(lambda: log.read_text().strip() if log.exists() else ""))

    child.stop(grace_seconds=5)

    assert not child.running()
    assert gone(grandchild)


def test_orphans_of_a_crashed_server_are_ended(processes: Processes, tmp_path: Path) -> None:
    child = processes.start("orphan", ["sleep", "60"], env=processes.environment(), cwd=tmp_path)
    successor = Processes(tmp_path, "http://127.0.0.1:1", "us-east-1")

    successor.clean_up()

    assert child.wait(5) is not None


USERS = (
    *("HOME", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE"),
    *(
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_ROLE_ARN",
        "BOTO_CONFIG",
    ),
    *("BOTO_CONFIG", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "NETRC", "SSL_CERT_FILE"),
    *("PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "NODE_OPTIONS", "PIP_INDEX_URL", "LD_PRELOAD"),
    *("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "SPARK_HOME", "SPARK_CONF_DIR", "HADOOP_CONF_DIR"),
    *("PYSPARK_SUBMIT_ARGS", "REQUESTS_CA_BUNDLE", "SOMETHING_NEW"),
)


def test_a_child_sees_our_endpoint_and_no_real_credentials(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in USERS:
        monkeypatch.setenv(name, "real")

    environment = processes.environment({"EXTRA": "1"})

    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["EXTRA"] == "1"
    for made in (environment, processes.plain_environment()):
        assert "real" not in made.values()


def wait_for(read: object, seconds: float = 60) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = read()  # type: ignore[operator]
        if value:
            return str(value)
        time.sleep(0.05)
    raise AssertionError("nothing came")


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False
