"""Messages about the service; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "Serving on http://{host}:{port}/api/v1": "服务已启动：http://{host}:{port}/api/v1",
    "Its description: http://{host}:{port}/api/v1/openapi.json": (
        "接口说明：http://{host}:{port}/api/v1/openapi.json"
    ),
    "Port {port} is taken: {found} is used.": "端口 {port} 已被占用：改用 {found}。",
    "Serving on {place}": "服务已启动：{place}",
    "  user {user}, password {password}": "  用户 {user}，密码 {password}",
    "  export KEY={key}   (for a day)": "  export KEY={key}   （一天内有效）",
    "Ctrl-C ends it. To serve it again: holdfast up --demo": (
        "按 Ctrl-C 结束。再次启动：holdfast up --demo"
    ),
    "Tried, and ended: there is no terminal. To serve it: holdfast up --demo": (
        "已试用并结束：当前没有终端。启动服务：holdfast up --demo"
    ),
    "Search, in Chinese, with facets:": "中文检索，带分面：",
    "Find a person:": "查找联系人：",
    "Search in the text of attachments:": "在附件正文中检索：",
}
