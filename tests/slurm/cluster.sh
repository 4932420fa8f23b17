#!/usr/bin/env bash
# A Slurm cluster of one node on this machine's loopback, for tests, without systemd, a database or cgroups.
#
#   tests/slurm/cluster.sh install        installs Debian's packages (root, apt-get)
#   tests/slurm/cluster.sh start FOLDER   starts the daemons, waits for the node, prints `export SLURM_CONF=...`
#   tests/slurm/cluster.sh stop FOLDER    ends the jobs, then the daemons whose process ids lie in FOLDER
#
# All that the cluster reads or writes lies in FOLDER, which must be missing or empty: settings, key, sockets, state, spool
# and logs. Nothing of the system's Slurm or MUNGE is used or changed.
#
# Status: 0; 1 something is wrong; 2 wrong arguments; 77 this machine cannot do it (not root, no apt-get, not installed).
set -euo pipefail

packages=(slurm-wlm munge)
wait_s=60

say() { echo "cluster.sh: $*" >&2; }
die() {
    say "$1"
    exit "${2:-1}"
}

# Settings of a Slurm that the caller uses otherwise must not reach this one.
forget_slurm() {
    local name
    for name in "${!SLURM_@}" "${!SLURMD_@}" "${!SBATCH_@}" "${!SQUEUE_@}" "${!SCANCEL_@}" "${!SINFO_@}"; do unset "$name"; done
}

install_packages() {
    local policy=/usr/sbin/policy-rc.d
    [ "$(id -u)" = 0 ] || die "only root can install ${packages[*]}" 77
    command -v apt-get > /dev/null || die "no apt-get here to install ${packages[*]} with" 77
    export DEBIAN_FRONTEND=noninteractive
    # The packages would start services of their own; Debian's way to forbid that is this file.
    if [ ! -e "$policy" ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod 755 "$policy"
    fi
    # A list of packages that is there may do; an old one often does not, and then it is fetched.
    apt-get install -qq -y --no-install-recommends "${packages[@]}" > /dev/null 2>&1 || {
        apt-get update -qq > /dev/null || die "apt-get update failed" 77
        apt-get install -qq -y --no-install-recommends "${packages[@]}" > /dev/null || die "apt-get could not install ${packages[*]}" 77
    }
    dpkg-query -W "${packages[@]}"
}

# A zombie counts as gone: in a container there may be nobody to wait for it.
gone() {
    [ -e "/proc/$1" ] || return 0
    grep -qs '^State:[[:space:]]*[ZX]' "/proc/$1/status"
}

# The process id in FOLDER/run/NAME.pid if that process lives and is NAME of this folder: an id can have gone to another
# process since.
living() {
    local name="$1" pid comm
    pid="$(cat "$folder/run/$name.pid" 2> /dev/null)" && [ -n "$pid" ] || return 1
    comm="$(cat "/proc/$pid/comm" 2> /dev/null)" || return 1
    case "$comm" in "$name" | "$name"-wlm) ;; *) return 1 ;; esac
    grep -qszF -- "$folder/" "/proc/$pid/cmdline" || return 1
    ! gone "$pid" || return 1
    echo "$pid"
}

end_daemon() {
    local name="$1" pid i
    pid="$(living "$name")" || return 0
    kill -TERM "$pid" 2> /dev/null || true
    for ((i = 0; i < 150; i++)); do
        living "$name" > /dev/null || return 0
        if [ "$i" = 100 ]; then
            say "$name (process $pid) does not end on SIGTERM; killed"
            kill -KILL "$pid" 2> /dev/null || true
        fi
        sleep 0.1
    done
    say "$name (process $pid) is still there"
    return 1
}

# slurmd leaves the processes of its jobs alone when it ends, so the jobs must end first.
end_jobs() {
    local deadline=$((SECONDS + 20))
    [ -e "$folder/slurm.conf" ] || return 0
    living slurmctld > /dev/null || return 0
    timeout 10 scancel --quiet --user="$(id -un)" 2> /dev/null || true
    # By default squeue tells the jobs that wait, work or are being ended.
    while [ -n "$(timeout 10 squeue --noheader 2> /dev/null || true)" ]; do
        if ((SECONDS >= deadline)); then
            say "jobs do not end"
            return 1
        fi
        sleep 0.2
    done
}

stop_cluster() {
    local status=0
    export SLURM_CONF="$folder/slurm.conf"
    end_jobs || status=1
    end_daemon slurmd || status=1
    end_daemon slurmctld || status=1
    # Last: the others sign their messages with it.
    end_daemon munged || status=1
    return "$status"
}

# A port of which /proc says that no socket has it. Below 32768, where the kernel takes the ports of outgoing connections.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        [ "$port" != "${1:-}" ] || continue
        grep -qsi "^ *[0-9]*: [0-9A-F]*:$(printf '%04X' "$port") " /proc/net/tcp /proc/net/tcp6 || break
    done
    echo "$port"
}

show_logs() {
    local log
    for log in "$folder"/log/*; do
        echo "--- $log"
        tail -n 15 "$log"
    done >&2
}

write_settings() {
    local host="$1" memory="$2" control node
    control="$(free_port)"
    node="$(free_port "$control")"
    cat > "$folder/slurm.conf" << CONF
ClusterName=relrvtest
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$control
SlurmdPort=$node
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# cred_expire is also how long a job that is requeued waits; 120 s by default.
AuthInfo=socket=$folder/munge/socket,cred_expire=20
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
PlugStackConfig=$folder/plugstack.conf
MailProg=/bin/true
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# A job that does not say how much memory it needs would get the whole node's, and run alone.
DefMemPerCPU=200
SchedulerType=sched/backfill
# Short times, so that a test waits for the jobs and not for the scheduler.
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=2
KillWait=2
# There is no database: what jobs did is asked of slurmctld, which must not forget it during a test.
MinJobAge=3600
JobRequeue=1
MaxArraySize=10001
ReturnToService=2
# More tasks at once than a small machine has cores: tasks that run beside each other are what is tested.
SlurmdParameters=config_overrides
NodeName=$host NodeHostname=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=$memory State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
    : > "$folder/plugstack.conf"
    # The setting is new in 23.02; before, slurmd does without cgroups when no plugin asks for them.
    local version
    version="$(slurmctld -V)"
    version="${version#* }"
    case "$version" in
        1* | 20.* | 21.* | 22.*) : > "$folder/cgroup.conf" ;;
        *) echo "CgroupPlugin=disabled" > "$folder/cgroup.conf" ;;
    esac
}

start_cluster() {
    local program host memory comm pid

    [ "$(id -u)" = 0 ] || die "only root can start a cluster" 77
    for program in munged slurmctld slurmd sinfo squeue scancel scontrol sbatch; do
        command -v "$program" > /dev/null || die "$program is not installed; \`$0 install\` installs it" 77
    done

    if [ -e "$folder" ] && [ -n "$(ls -A "$folder")" ]; then die "$folder is not empty"; fi
    host="$(hostname -s)"
    # slurm.conf has no quotes, and a socket's path is at most 107 bytes long.
    [[ "$folder" =~ ^[A-Za-z0-9/._+-]+$ ]] || die "$folder: only letters, digits and / . _ + - can stand in this path"
    ((${#folder} + ${#host} <= 75)) || die "$folder: too long a path for the sockets in it"

    # A node that works for another cluster is left alone, and so is a test that runs already.
    for comm in /proc/[0-9]*/comm; do
        pid="${comm#/proc/}"
        pid="${pid%/comm}"
        case "$(cat "$comm" 2> /dev/null || true)" in
            slurmctld | slurmctld-wlm | slurmd | slurmd-wlm)
                ! gone "$pid" || continue
                die "a Slurm runs here already (process $pid: $(tr '\0' ' ' < "/proc/$pid/cmdline"))"
                ;;
        esac
    done

    mkdir -p "$folder"
    mkdir "$folder"/{munge,state,spool,run,log}
    # munged wants a path to its socket that all can walk, and a key that only root can read.
    chmod 711 "$folder"
    chmod 755 "$folder"/{munge,state,spool,run,log}
    (umask 077 && dd if=/dev/urandom of="$folder/munge/key" bs=128 count=1 status=none)
    memory="$(slurmd -C 2> /dev/null | grep -o 'RealMemory=[0-9]*' | cut -d= -f2)"
    write_settings "$host" "${memory:-2000}"
    export SLURM_CONF="$folder/slurm.conf"

    # Whatever goes wrong from here on, no daemon stays.
    trap 'say "not started; the ends of the logs:"; show_logs; stop_cluster || true' EXIT

    # Their output must not go to the caller's pipe, which would stay open as long as they live. The paths' owners are not
    # munged's business here (a test's folder may lie where a group can write), so --force makes errors of that kind warnings.
    munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/run/munged.pid" \
        --log-file="$folder/log/munged.log" --seed-file="$folder/munge/seed" < /dev/null > "$folder/log/munged.out" 2>&1
    slurmctld -f "$SLURM_CONF" < /dev/null > "$folder/log/slurmctld.out" 2>&1
    slurmd -f "$SLURM_CONF" -N "$host" < /dev/null > "$folder/log/slurmd.out" 2>&1

    local deadline=$((SECONDS + wait_s)) state=""
    until [ "$state" = idle ]; do
        ((SECONDS < deadline)) || die "the node is not idle after $wait_s s but ${state:-not there}"
        for program in munged slurmctld slurmd; do
            # A daemon writes its file a moment after it has gone to the background.
            [ ! -s "$folder/run/$program.pid" ] || living "$program" > /dev/null || die "$program has ended"
        done
        sleep 0.2
        state="$(timeout 10 sinfo --noheader --format=%T 2> /dev/null || true)"
    done
    for program in munged slurmctld slurmd; do
        living "$program" > /dev/null || die "$program has no process id in $folder/run"
    done
    trap - EXIT
    printf 'export SLURM_CONF=%q\n' "$SLURM_CONF"
}

case "$#:${1:-}" in
    1:install) install_packages ;;
    2:start | 2:stop)
        forget_slurm
        # Debian has the daemons where the path of a plain shell does not look.
        PATH="$PATH:/usr/sbin:/sbin"
        folder="$(realpath -m -- "$2")"
        if [ "$1" = start ]; then start_cluster; else stop_cluster; fi
        ;;
    *) die "cluster.sh install | start FOLDER | stop FOLDER" 2 ;;
esac
