# One image for every role; docker-compose.yml gives each its command.
# TORCH_INDEX_URL chooses the build of PyTorch: the CPU one here, empty for PyPI's default build with CUDA.

FROM python:3.11-slim-bookworm AS build
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/tauscope
ENV PATH=/opt/tauscope/bin:$PATH
WORKDIR /src
COPY constraints.txt ./
# PyTorch first: its layer is large, and stays when only our own code changes.
RUN pip install -c constraints.txt torch ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"}
COPY pyproject.toml README.md LICENSE ./
COPY tauscope ./tauscope
COPY backend ./backend
COPY worker ./worker
COPY launcher ./launcher
COPY frontend ./frontend
RUN pip install -c constraints.txt ".[s3]"

FROM python:3.11-slim-bookworm AS runtime
RUN groupadd --gid 10001 tauscope \
    && useradd --uid 10001 --gid tauscope --no-create-home --home-dir /var/lib/tauscope --shell /usr/sbin/nologin tauscope \
    && install -d -m 0750 -o tauscope -g tauscope /var/lib/tauscope
COPY --from=build /opt/tauscope /opt/tauscope
ENV PATH=/opt/tauscope/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TAUSCOPE_HOME=/var/lib/tauscope
USER 10001:10001
WORKDIR /var/lib/tauscope
VOLUME /var/lib/tauscope
CMD ["python", "-m", "backend"]
