"""``python -m frontend``: serve the dashboard."""

import argparse

from frontend.server import serve


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m frontend", description="Serve the Tauscope dashboard.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8501, help="port to listen on (default: 8501)")
    parser.add_argument("--api-url", default="http://127.0.0.1:8500", help="where the API answers (default: http://127.0.0.1:8500)")
    arguments = parser.parse_args()
    serve(host=arguments.host, port=arguments.port, api_url=arguments.api_url)


if __name__ == "__main__":
    main()
