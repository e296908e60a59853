# Thin names for the scripts and npm commands. "make" lists them.
.DEFAULT_GOAL := help
INSTANCE ?= dev
VERSION ?= dev

.PHONY: help dev demo test unit integration e2e lint format types build infra-up infra-down infra-status bench chaos images image-size audit clean

help: ## this list
	@sed -n 's/^\([a-z][a-z0-9 -]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  %-40s %s\n", $$1, $$2 }'

dev: ## everything on this machine, until Ctrl-C
	./scripts/dev.sh

demo: ## the same, ending after one notification by each channel has arrived
	./scripts/dev.sh --once

test: ## every check
	./scripts/test.sh

unit integration e2e types lint audit: ## one stage of the tests
	./scripts/test.sh $@

format: ## write the formatting
	npm run format

build: ## compile to dist/
	npm run build

infra-up: ## MongoDB and RabbitMQ of one instance (INSTANCE=dev)
	./scripts/infra.sh up --instance $(INSTANCE)

infra-down: ## stop them
	./scripts/infra.sh down --instance $(INSTANCE)

infra-status: ## what runs where
	./scripts/infra.sh status --instance $(INSTANCE)

bench: build ## one measurement: make bench NAME=accept
	npm run bench -- $(NAME)

chaos: build ## one fault under load: make chaos NAME=broker
	npm run chaos -- $(NAME)

images: ## an image of each app, not pushed: make images VERSION=dev
	./scripts/build-and-push.sh --no-push --allow-dirty --version $(VERSION)

image-size: ## how large they are: make image-size VERSION=dev
	./scripts/image-size.sh $(VERSION)

clean: ## what was built and measured; neither packages nor servers' data
	rm -rf dist coverage
