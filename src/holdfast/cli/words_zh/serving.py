"""Messages about the service; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "Serving on http://{host}:{port}/api/v1": "服务已启动：http://{host}:{port}/api/v1",
    "Its description: http://{host}:{port}/api/v1/openapi.json": (
        "接口说明：http://{host}:{port}/api/v1/openapi.json"
    ),
}
