# make help lists the targets. bash .ci/run, which is make ci, runs them all in order and installs what they need.
.DEFAULT_GOAL := help
FUZZTIME ?= 10s

.PHONY: help build test race lint fuzz generate interop ci

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the program into .bin
	go build -o .bin/ ./cmd/...

test: ## run the tests
	go test ./...

race: ## run the tests with the race detector
	go test -race ./...

lint: ## run the linters
	bash .ci/run install_go_tools
	.bin/golangci-lint run
	cd bench && ../.bin/golangci-lint run

fuzz: ## run every fuzz target for FUZZTIME each
	FUZZTIME=$(FUZZTIME) bash .ci/run fuzz

generate: ## generate the code of the .proto files; needs protoc
	bash .ci/run install_go_tools
	bash .ci/run generate

interop: ## talk to the program with Python's protobuf; needs protoc and python3-protobuf
	go test -count=1 -tags interop -v ./interop/

ci: ## all of it
	bash .ci/run

.PHONY: model
model: ## check every interleaving of the model of the request path; needs 0.7 GiB and a minute
	go test -count=1 -tags model -v ./internal/model

.PHONY: compare
COMPARE ?=
compare: ## compare the server with others that do the same work; half an hour. COMPARE='-scenario depth16 -rounds 3' is less
	cd bench && go run ./cmd/compare $(COMPARE)

.PHONY: tidy
tidy: ## tidy go.mod, and the comparison's, which follows it
	go mod tidy
	cd bench && go mod tidy
