"""The frameworks are large: `make test-integrations` installs them and runs these tests; `make test` does not."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("NEBULA_INTEGRATIONS") else ["test_*.py"]

# no frameworks' servers, downloads or telemetry in tests
os.environ.update({"HF_HUB_OFFLINE": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"})
