# shellcheck shell=bash
# What the scripts share. Source it from the folder of the project: . scripts/lib.sh

# Tools that the project installs for itself.
# shellcheck disable=SC2034 # used by those who source this
tools=$PWD/.tools

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "${0##*/}: $*"
    exit 1
}

# debian PACKAGE… : installs what is missing; as another user than root it says what to install.
debian() {
    [ $# -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        fail "missing: $*. Install these Debian packages, or run this once as root."
    fi
    command -v apt-get >/dev/null || fail "missing: $*. Install them with this system's package manager."
    say "installing $*"
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# python_packages FOLDER : FOLDER/.venv with what FOLDER/requirements.txt lists, made anew when that changed.
python_packages() {
    local venv=$1/.venv list=$1/requirements.txt
    if cmp --silent "$list" "$venv/installed.txt"; then return; fi
    say "installing the Python packages of $1"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$list" >&2
    cp "$list" "$venv/installed.txt"
}

# node_packages FOLDER : FOLDER/node_modules as FOLDER/package-lock.json says.
node_packages() {
    local lock=$1/package-lock.json installed=$1/node_modules/installed.json
    if cmp --silent "$lock" "$installed"; then return; fi
    say "installing the Node packages of $1"
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error >&2)
    cp "$lock" "$installed"
}
