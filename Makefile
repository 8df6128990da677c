# The two commands a newcomer needs are `make demo` and `make test`. Both install what is missing and say so first.

CARGO ?= cargo
DEMO_DIR ?= demo-out

.PHONY: help demo test proof bench images fuzz clean-demo sanitize

help:
	@echo "make demo    examine a benign demo device and write its report"
	@echo "make test    everything CI runs (format, lints, licences, all tests)"
	@echo "make proof   the long proofs: large images, many mutants, fuzzing, a browser, sanitizer"
	@echo "make bench   the measurements, with a named peer in the same run"

demo:
	@tools/setup.sh demo
	$(CARGO) build --release --locked --bin avocet
	@tools/demo.sh $(DEMO_DIR)

test:
	@tools/setup.sh test
	@tools/images.sh target/evidence-images
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) deny --all-features check bans licenses sources
	@tools/test.sh

proof:
	@tools/setup.sh proof
	@tools/images.sh target/evidence-images big
	@tools/proof.sh

bench:
	@tools/setup.sh test
	@tools/images.sh target/evidence-images big
	$(CARGO) build --release --locked --bin avocet
	@benches/run.sh

clean-demo:
	rm -rf $(DEMO_DIR)
