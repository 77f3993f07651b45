"""One server process as the product's own: uvicorn, uvloop, httptools. `serve.py module:factory PORT`."""

from __future__ import annotations

import sys

import uvicorn

if __name__ == "__main__":
    uvicorn.run(
        sys.argv[1], factory=True, host="127.0.0.1", port=int(sys.argv[2]), loop="uvloop", http="httptools", lifespan="on",
        access_log=False, log_level="warning", server_header=False, proxy_headers=False,
    )  # fmt: skip
