# What the scripts beside this file share: a simulator to be tried, and lines that are counted.
# To be sourced; the script that does so has set `here`.

root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
work=$target/clients
mkdir -p "$work"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

export NSX_SIM_USER=${NSX_SIM_USER:-admin}
export NSX_SIM_PASSWORD=${NSX_SIM_PASSWORD:-VMware1!VMware1!}

# Prints a line and keeps it for the count.
say() {
    printf '%s\n' "$*" | tee -a "$log"
}

# The simulator to be tried; built where none is named.
binary() {
    if [[ -z ${NSX_SIM_BIN:-} ]]; then
        (cd "$root" && cargo build --quiet --package nsx-sim >&2)
    fi
    printf '%s\n' "${NSX_SIM_BIN:-$target/debug/nsx-sim}"
}

# Where the manager listens: any free port unless told otherwise.
listen=${NSX_SIM_LISTEN:-127.0.0.1:0}
# What the manager begins with.
world=(--world empty)

# Runs a client against a manager of its own: with_manager NAME COMMAND...
with_manager() {
    local name=$1 line manager reader status=0
    shift
    exec {reader}< <(exec "$simulator" serve --listen "$listen" "${world[@]}" \
        --user "$NSX_SIM_USER" --password "$NSX_SIM_PASSWORD")
    manager=$!
    if ! read -r -t 60 line <&"$reader" || [[ $line != "listening on "* ]]; then
        kill "$manager" 2>/dev/null || true
        say "FAIL $name: the simulator did not start: ${line:-no answer}"
        return
    fi
    NSX_SIM_URL=${line#listening on } "$@" | tee -a "$log" || status=$?
    kill "$manager"
    wait "$manager" || say "FAIL $name: the simulator ended with status $?"
    exec {reader}<&-
    # A client that fails has said so on a line of its own, unless it could not.
    if ((status != 0)) && ! grep -q "^FAIL $name:" "$log"; then
        say "FAIL $name: the client ended with status $status"
    fi
}

# Prints how many lines begin with a word.
lines() {
    grep -c "^$1 " "$log" || true
}
