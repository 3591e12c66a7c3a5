# `make demo` and `make test` work in a fresh clone. The other targets are for contributors.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EMULATORS := $(VENV)/.emulators
MULTIQC := $(VENV)/multiqc/bin/multiqc
FORMATS := $(VENV)/formats/bin/python
PICARD := $(VENV)/picard/picard
CHROMIUM := $(VENV)/chromium/chromium

# One more than there are cores: a quarter of the time of the tests is spent waiting for disks and other processes.
WORKERS := $(shell echo $$(($$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN) + 1)))

# The tests with a mark, and only their files: to collect all others takes longer than some of these suites.
marked = -m $(1) $(sort $(patsubst %/conftest.py,%,$(shell grep -rlE --include='*.py' 'mark\.$(1)\b|marker\("$(1)"\)' tests steps)))

.PHONY: transaction-latency joint-calling demo test suites test-petabytes petabytes test-badluck test-powercut test-fuzz test-realdata test-validators test-emulators test-multiqc test-picard test-ui report-pictures test-containers test-slurm lint docs pictures bench accuracy lock base-image clean

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(v < (3, 11) and "Python >= 3.11 is needed, found %d.%d: make PYTHON=python3.11" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: $(READY)
	rm -rf demo
	$(BIN)/genomics-pipeline simulate --out demo/cohort
	$(BIN)/genomics-pipeline run demo/cohort/cohort.csv --reference demo/cohort/reference.fa --out demo/run --truth demo/cohort/truth.vcf.gz

# A worker takes whole files, so that fixtures of modules are made once, until another has nothing left.
test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not realdata and not validators and not emulators and not multiqc and not picard and not ui and not containers and not slurm and not badluck and not powercut and not fuzz and not petabytes"

# What .ci/run runs after `test`, with -j beside each other, since many leave a core idle. First those that take longest
# and do one thing after the other; those of several workers, which can use what is left of the cores, come last.
suites: test-containers test-badluck test-slurm test-realdata lint test-petabytes test-emulators test-ui test-multiqc test-picard test-validators demo test-powercut test-fuzz

# Makes docs/petabytes.md again and compares it: a minute of two cores. Plans a million samples in bounded memory.
test-petabytes: $(READY)
	$(BIN)/python -m pytest $(call marked,petabytes)

# Runs samples with every combination of injected faults that five hundred have, and kills runs at random moments.
test-badluck: $(READY)
	$(BIN)/python -m pytest $(call marked,badluck)

# Gives thousands of damaged records, sheets, documents and files to the commands that read them.
test-fuzz: $(READY)
	$(BIN)/python -m pytest -n auto $(call marked,fuzz)

# Cuts the power of runs on a disk of their own. Without root and loop devices the tests are skipped, also if CI is set.
test-powercut: $(READY)
	$(BIN)/python -m pytest -n auto $(call marked,powercut)

test-realdata: $(READY)
	$(BIN)/python -m pytest $(call marked,realdata)

# Checks the generated definitions with other validators. Without node and npm the tests are skipped, or fail if CI
# is set.
test-validators: $(READY)
	-$(MAKE) $(FORMATS)
	FORMATS=$(abspath $(FORMATS)) $(BIN)/python -m pytest $(call marked,validators)

# Prometheus's parser of OpenMetrics and the validator of RO-Crates, in an environment of their own.
$(FORMATS): Makefile
	$(PYTHON) -m venv $(VENV)/formats
	$(FORMATS) -m pip install --quiet --disable-pip-version-check prometheus_client==0.26.0 roc-validator==0.13.0
	touch $@

# Installs emulators of Step Functions, each in its own virtual environment.
$(EMULATORS): Makefile
	$(PYTHON) -m venv $(VENV)/bench-moto
	$(VENV)/bench-moto/bin/python -m pip install --quiet --disable-pip-version-check 'moto[server]==5.2.5'
	$(PYTHON) -m venv $(VENV)/bench-ministack
	$(VENV)/bench-ministack/bin/python -m pip install --quiet --disable-pip-version-check ministack==1.5.33
	touch $@

# Runs the conformance cases on the emulators. If they cannot be installed, the tests are skipped, or fail if CI is set.
test-emulators: $(READY)
	-$(MAKE) $(EMULATORS)
	$(BIN)/python -m pytest $(call marked,emulators)

# Installs MultiQC, which is large, in its own virtual environment.
$(MULTIQC): Makefile
	$(PYTHON) -m venv $(VENV)/multiqc
	$(VENV)/multiqc/bin/python -m pip install --quiet --disable-pip-version-check multiqc==1.35
	touch $@

# Runs MultiQC on the results of a small run. If it cannot be installed, the tests are skipped, or fail if CI is set.
test-multiqc: $(READY)
	-$(MAKE) $(MULTIQC)
	MULTIQC=$(abspath $(MULTIQC)) $(BIN)/python -m pytest $(call marked,multiqc)

# Unpacks Debian's Picard, and Java where there is none; this needs no root.
$(PICARD): Makefile tests/picard.sh
	tests/picard.sh $(VENV)/picard

# Gives Picard the alignments of many kinds of reads. If it cannot be installed, the tests are skipped, or fail if CI is
# set.
test-picard: $(READY)
	-$(MAKE) $(PICARD)
	PICARD=$(abspath $(PICARD)) $(BIN)/python -m pytest $(call marked,picard)

# Unpacks Debian's headless Chromium, and axe-core from npm; this needs no root.
$(CHROMIUM): Makefile tests/chromium.sh
	rm -rf $(VENV)/chromium
	tests/chromium.sh $(VENV)/chromium

# Opens reports of runs in a real browser. The reports and pictures of them stay in $(VENV)/reports. If Chromium cannot be
# unpacked, the tests are skipped, or fail if CI is set.
test-ui: $(READY)
	-$(MAKE) $(CHROMIUM)
	CHROMIUM=$(abspath $(CHROMIUM)) REPORTS=$(abspath $(VENV))/reports $(BIN)/python -m pytest $(call marked,ui)

# Makes the pictures of docs/report.md again.
report-pictures: test-ui
	cp $(VENV)/reports/report.png $(VENV)/reports/report-narrow.png docs/pictures/

# Builds and runs the images. Without a container engine the tests are skipped, or fail if CI is set.
test-containers: $(READY)
	$(BIN)/python -m pytest $(call marked,containers)

# Runs jobs on throw-away Slurm clusters. Without root and Debian's Slurm the tests are skipped, or fail if CI is set.
test-slurm: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(call marked,slurm)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Generates docs/parameters.md from the files of the pipelines and steps.
# The page of ten petabytes a month, by some fifty plans: a minute of two cores.
petabytes: $(READY)
	$(BIN)/python -m benchmarks.petabytes.page > docs/petabytes.md.new
	mv docs/petabytes.md.new docs/petabytes.md

docs: $(READY)
	$(BIN)/genomics-pipeline pipeline document > docs/parameters.md

# The first two benchmarks need bwa, samtools and bcftools, and are skipped without them.
bench: $(READY) $(EMULATORS)
	$(PYTHON) -m venv $(VENV)/bench
	$(VENV)/bench/bin/python -m pip install --quiet --disable-pip-version-check snakemake==9.27.1
	$(BIN)/python -m benchmarks.alignment_step
	SNAKEMAKE=$(abspath $(VENV))/bench/bin/snakemake $(BIN)/python -m benchmarks.cohort
	$(BIN)/python -m benchmarks.distributed_map
	$(BIN)/python -m benchmarks.records
	$(BIN)/python -m benchmarks.preflight
	-$(MAKE) $(CHROMIUM)
	CHROMIUM=$(abspath $(CHROMIUM)) $(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.rerun_planning
	$(BIN)/python -m benchmarks.sheet_validation
	$(BIN)/python -m benchmarks.slurm_arrays
	$(BIN)/python -m benchmarks.transaction_latency
	$(PYTHON) -m venv $(VENV)/bench-aws
	$(VENV)/bench-aws/bin/python -m pip install --quiet --disable-pip-version-check awscli==1.46.3
	AWS_CLI=$(abspath $(VENV))/bench-aws/bin/aws $(BIN)/python -m benchmarks.transfer

# Ten minutes of the transaction monitor: the latencies of 600 files, one a second, with the goals beside them.
transaction-latency: $(READY)
	$(BIN)/python -m benchmarks.transaction_latency

# Prints the accuracy on real reads; about half an hour on two cores. Options: ARGS='--aligner bwa --seeds 1'.
accuracy: $(READY)
	$(BIN)/python -m benchmarks.accuracy $(ARGS)

# Times joint genotyping of up to 3,202 simulated gVCFs; PANEL and REFERENCE as benchmarks/joint_calling.py says.
joint-calling: $(READY)
	$(BIN)/python -m benchmarks.joint_calling $(PANEL) $(REFERENCE) --bcftools 100 1000 --out $(VENV)/joint-calling $(ARGS)

# Runs a cohort on the fakes of AWS for some minutes, and draws the dashboard of docs/aws.md from what it recorded. After
# a change of the dashboard that needs no other metrics, `python -m benchmarks.dashboard.picture` is enough.
# The picture of a running command in README.md.
pictures: $(READY)
	GENOMICS_PIPELINE_RENEW_GOLDEN=1 $(BIN)/python -m pytest tests/docs/test_pictures.py

dashboard-picture: $(READY)
	$(BIN)/python -m benchmarks.dashboard.record
	$(BIN)/python -m benchmarks.dashboard.picture

lock:
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 --extra dev pyproject.toml -o requirements.lock
	uv pip compile --generate-hashes --no-header --python-version 3.11 --python-platform x86_64-manylinux_2_28 --constraint requirements.lock containers/requirements.in -o containers/requirements.lock
	uv pip compile --generate-hashes --no-header --python-version 3.11 --python-platform x86_64-manylinux_2_28 --constraint requirements.lock --no-emit-package zlib-ng containers/requirements.x86_64.in -o containers/requirements.x86_64.lock
	uv pip compile --generate-hashes --no-header --python-version 3.11 --python-platform x86_64-manylinux_2_28 --constraint requirements.lock containers/intake/requirements.in -o containers/intake/requirements.lock
	uv pip compile --generate-hashes --no-header --python-version 3.11 --python-platform x86_64-manylinux_2_28 --constraint requirements.lock --constraint containers/requirements.lock containers/function/requirements.in -o containers/function/requirements.lock

# Pins the newest image of Debian in the Dockerfile; the tags of all images change with it.
base-image:
	docker pull --quiet debian:bookworm-slim
	pin=$$(docker image inspect --format '{{index .RepoDigests 0}}' debian:bookworm-slim) && \
	  sed "s|^ARG DEBIAN=.*|ARG DEBIAN=debian:bookworm-slim@$${pin#*@}|" containers/base/Dockerfile > containers/base/Dockerfile.new
	mv containers/base/Dockerfile.new containers/base/Dockerfile

clean:
	rm -rf $(VENV) demo build dist
