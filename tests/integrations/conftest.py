"""No frameworks' servers, downloads or telemetry in tests."""

from __future__ import annotations

import os

os.environ.update({"HF_HUB_OFFLINE": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"})
