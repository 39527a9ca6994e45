# The whole project in five words: make demo, make test, make soak, make lint, make encoder.

PYTHON ?= python3
DEMO_ENV := .venv-demo
DEV_ENV := .venv

.PHONY: demo test soak lint encoder clean

demo: $(DEMO_ENV)/ready
	$(DEMO_ENV)/bin/goodpart demo

test: lint
	.ci/packages chromium dbus faketime mosquitto mosquitto-clients openssl strace systemd
	$(DEV_ENV)/bin/pytest -n auto --dist loadfile

# An hour of faults, then a million parts, for the figures in README. A full disk needs root, who may mount one.
SOAK := --seed 7 --minutes 60
PARTS := 1000000
soak: $(DEV_ENV)/ready
	.ci/packages faketime mosquitto mosquitto-clients openssl
	$(DEV_ENV)/bin/python -m tests.faults.soak $(SOAK)
	$(DEV_ENV)/bin/python -m tests.faults.endurance --parts $(PARTS) --plot endurance.png

lint: $(DEV_ENV)/ready
	$(DEV_ENV)/bin/ruff format --check .
	$(DEV_ENV)/bin/ruff check .
	$(DEV_ENV)/bin/mypy

$(DEMO_ENV)/ready: pyproject.toml .ci/environment
	.ci/environment $(PYTHON) $(DEMO_ENV) demo

$(DEV_ENV)/ready: pyproject.toml .ci/environment
	.ci/environment $(PYTHON) $(DEV_ENV) dev

# The encoder that ships, made anew. Weights of 7 bits are right on every CPU; its INT8 ranges come from scikit-image's public-domain photographs.
SHIPPED := edge/encoders/efficientnet-lite0-320-int8
encoder: $(DEV_ENV)/ready
	$(DEV_ENV)/bin/python tests/export_pictures.py $(DEV_ENV)/encoder-pictures
	$(DEV_ENV)/bin/goodpart export --out $(SHIPPED) --pictures $(DEV_ENV)/encoder-pictures --profile x86-avx2 --force

clean:
	rm -rf $(DEMO_ENV) $(DEV_ENV) demo-output
