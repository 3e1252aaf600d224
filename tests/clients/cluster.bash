# What the scripts beside this file share that type commands with a real kubectl: a lab to be tried, and an
# account's directory for it. To be sourced; the script that does so has set `here`, and in `nothing` what
# was not done where a program is missing.

# shellcheck source=tests/clients/manager.bash
source "$here/manager.bash"

kubectl=${KUBECTL:-kubectl}
for needed in "$kubectl" python3 curl; do
    if ! command -v "$needed" >/dev/null; then
        echo "SKIPPED: $needed not found: $nothing, nothing is proven"
        exit 0
    fi
done

simulator=$(binary)
home=$(mktemp -d)
lab=
got=
# Called by the trap.
# shellcheck disable=SC2329
clean() {
    local status=$?
    # What was typed last tells why.
    ((status == 0)) || [[ ! -s ${got:-} ]] || tail -n 5 "$got" >&2
    [[ -z $lab ]] || kill "$lab" 2>/dev/null || true
    rm -rf "$home" "$log"
}
trap clean EXIT

# The learner's machine: nothing of the caller's own is read or written.
mkdir "$home/bin"
ln -s "$(realpath "$simulator")" "$home/bin/pks"
ln -s "$(realpath "$simulator")" "$home/bin/nsx-sim"
ln -s "$(command -v "$kubectl")" "$home/bin/kubectl"
export PATH=$home/bin:$PATH HOME=$home KUBECONFIG=$home/.kube/config KUBECACHEDIR=$home/cache
unset PKS_HOME PKS_USER_PASSWORD

# Starts the lab on free ports and tells the environment where it is: start OPTION...
start() {
    local line
    exec {reader}< <(exec "$simulator" serve --lab "$@" --listen 127.0.0.1:0 \
        --lab-listen 127.0.0.1:0 --uaa-listen 127.0.0.1:0 --pks-listen 127.0.0.1:0 \
        --user "$NSX_SIM_USER" --password "$NSX_SIM_PASSWORD")
    lab=$!
    while read -r -t 60 line <&"$reader"; do
        case $line in
            "listening on "*) export NSX_SIM_URL=${line#listening on } NSX_SIM_INSECURE=true ;;
            "export PKS_HOSTS="*) export "${line#export }" ;;
            "and \`nsx-sim lab"*) return ;;
        esac
    done
    echo "FAIL lab: the simulator did not start" >&2
    exit 1
}

stop() {
    kill "$lab"
    wait "$lab" || say "FAIL lab: the simulator ended with status $?"
    lab=
    exec {reader}<&-
}

nsx() {
    curl --silent --show-error --insecure --user "$NSX_SIM_USER:$NSX_SIM_PASSWORD" \
        --header 'Content-Type: application/json' "$NSX_SIM_URL/api/v1$1" "${@:2}"
}

# Makes a group of the ports with a tag and prints its identifier: group NAME SCOPE TAG
group() {
    nsx /ns-groups --data "{\"resource_type\": \"NSGroup\", \"display_name\": \"$1\",
        \"membership_criteria\": [{\"resource_type\": \"NSGroupTagExpression\",
        \"target_type\": \"LogicalPort\", \"scope\": \"$2\", \"tag\": \"$3\"}]}" |
        sed -n 's/^  "id" : "\(.*\)",$/\1/p'
}
