# shellcheck shell=sh disable=SC2034
# What the labs' `verify` scripts share; they source it. A stack comes up, things are held to be so,
# and the stack goes, however the script ends. Each waits some seconds for what takes its time.
#
# MINIVPC_STATE says which world, PATH which minivpc; the stack has the lab's name.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab=$(basename "$here")
patience=${LAB_PATIENCE:-20} # seconds
proofs=0

finish()
{
	status=$?
	trap - EXIT
	[ $status = 0 ] || echo "FAILED $lab" >&2
	undo || status=1
	quietly minivpc down "$lab" || status=1
	[ $status != 0 ] || echo "ok     $lab: $proofs things hold"
	exit $status
}

# What a lab changed beside its template and a stack can't be deleted with.
undo()
{
	:
}

# What it says is of interest when it fails.
quietly()
{
	said=$("$@" 2>&1) || { echo "$said" >&2; return 1; }
}

# PROGRAM...: instances have this machine's; without one of them a lab would fail of something else.
needs()
{
	for program in ping "$@"; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || {
			echo "FAILED $lab: it needs $program, which this machine lacks" >&2
			exit 1
		}
	done
}

# The outputs are variables.
begin()
{
	trap finish EXIT
	trap 'exit 130' INT TERM
	quietly minivpc up "$here/template.yaml" --stack "$lab"
	eval "$(minivpc outputs "$lab" -o env)"
}

proved()
{
	proofs=$((proofs + 1))
	echo "  ok   $1"
}

# WHAT COMMAND...: it succeeds, soon.
holds()
{
	what=$1
	shift
	end=$(($(date +%s) + patience))
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt $end ] || { echo "  not so: $what ($*)" >&2; exit 1; }
		sleep 0.2
	done
	proved "$what"
}

# WHAT COMMAND...: it fails, and goes on to.
fails()
{
	what=$1
	shift
	for _ in 1 2; do
		! "$@" >/dev/null 2>&1 || { echo "  not so: $what ($*)" >&2; exit 1; }
	done
	proved "$what"
}

# INSTANCE ADDRESS: a ping is answered.
ping_from()
{
	minivpc exec "$1" ping -n -c 1 -W 1 "$2"
}

ping_from_internet()
{
	minivpc internet exec ping -n -c 1 -W 1 "$1"
}

# INSTANCE URL: fetched.
fetch_from()
{
	minivpc exec "$1" curl -s -S -m 2 "$2"
}

# The host that the simulated Internet of every world has.
internet=198.18.0.10
