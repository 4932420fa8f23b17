#!/usr/bin/env bash
# Shows with a real Slurm that `relrv` measures a survey as an array job, though one task is killed, one fails and one is
# requeued, and that a second submission runs what is left and nothing else.
#
#   tests/slurm/check.sh RELRV
#
# RELRV: the program. The cluster is one of its own (cluster.sh beside this file), and everything lies in a temporary folder.
# Status: 0 all as it should be; 1 something is not; 77 no Slurm can be started here; 124 it took too long.
set -euo pipefail

# No wait may hang: all of it has this time, and 30 s more to clean up.
if [ -z "${RELRV_SLURM_CHECK_LIMITED:-}" ]; then
    RELRV_SLURM_CHECK_LIMITED=1 exec timeout --kill-after=30 240 bash "$0" "$@"
fi
unset RELRV_SLURM_CHECK_LIMITED

here="$(cd "$(dirname "$0")" && pwd)"
[ $# = 1 ] || {
    echo "check.sh RELRV" >&2
    exit 2
}
relrv="$(realpath -- "$1")"
# The kernel keeps 15 bytes of a process's name.
process_name="${relrv##*/}"
process_name="${process_name:0:15}"
products=(catalogue.fits stars.fits constants.fits zeropoints.fits components.fits rejected.csv)
work="$(mktemp -d)"
dir="$work/survey"
# The two processes that are held.
killed_pid=""
requeued_pid=""

clean() {
    local status=$?
    trap '' TERM INT HUP
    if [ "$status" != 0 ] && [ "$status" != 77 ]; then show >&2 || true; fi
    "$here/cluster.sh" stop "$work/c" || status=1
    rm -rf "$work"
    echo "$SECONDS s in all"
    exit "$status"
}
trap clean EXIT
# Who reads no further must not keep the daemons from being ended.
trap '' PIPE
trap 'say "WRONG: line $LINENO: $BASH_COMMAND"' ERR
trap 'exit 124' TERM
trap 'exit 130' INT
trap 'exit 129' HUP

# What somebody who has only the log of a failed check wants to see.
show() {
    local file
    for file in "$work"/*.log; do
        [ ! -s "$file" ] || { echo "--- $file" && tail -n 10 "$file"; }
    done
    echo "--- relrv status"
    timeout 10 "$relrv" status "$dir" || true
    echo "--- squeue"
    timeout 10 squeue --array || true
    for file in "$dir"/slurm/*.sh "$dir"/slurm/tasks.txt; do
        [ ! -f "$file" ] || { echo "--- $file" && cat "$file"; }
    done
    timeout 10 scontrol --oneliner show job | grep -v 'JobState=COMPLETED' | cut -c -900 || true
    timeout 10 scontrol --oneliner show job | grep -o ' StdOut=[^ ]*' | cut -d= -f2 | sort -u | while read -r file; do
        [ ! -s "$file" ] || { echo "--- $file" && tail -n 10 "$file"; }
    done
    echo "--- slurmctld.log"
    tail -n 20 "$work/c/log/slurmctld.log" || true
}

say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }
fail() {
    say "WRONG: $*"
    exit 1
}

# The units of `relrv status --json`, a line each: number, planid, spid, state, seconds.
units() {
    local unit
    timeout 20 "$relrv" status "$dir" --json > "$work/status.json" || true
    tr '\n' ' ' < "$work/status.json" | { grep -o '{[^{}]*}' || true; } | while read -r unit; do
        echo "$(value number) $(value planid) $(value spid) $(value state) $(value seconds)"
    done
}

# The value of a key in $unit, without quotation marks.
value() { sed -nE 's/.*"'"$1"'": *("([^"]*)"|[^",} ]+).*/\1/p' <<< "$unit" | tr -d '"'; }

state_of() { units | awk -v n="$1" '$1 == n { print $4 }'; }

# Units that are not done, in one line.
not_done() { units | awk '$4 != "done" { print $1 }' | sort -n | paste -sd ' '; }

# Slurm's records of a job, a line for each task of an array.
records() { timeout 20 scontrol --oneliner show job "$1"; }

# The value of a key in a record on standard input.
field() { sed -nE "s/(.* )?$1=([^ ]*).*/\2/p"; }

# The record of one task of an array: JOB, TASK.
record() { records "$1" | grep -E " ArrayTaskId=$2 "; }

# The units that the lines N-M (or N) of tasks.txt name, in one line.
units_of_tasks() {
    local first last
    while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done < "$dir/slurm/tasks.txt" | sort -n | paste -sd ' '
}

# Submits, with more options, and sets $array and $merge.
submit() {
    "$relrv" slurm "$dir" --submit "$@" > "$work/submitted"
    array="$(sed -nE 's/^array ([0-9]+)$/\1/p' "$work/submitted")"
    merge="$(sed -nE 's/^merge ([0-9]+)$/\1/p' "$work/submitted")"
    if [ -z "$array" ] || [ -z "$merge" ]; then fail "relrv slurm --submit does not print both jobs: $(cat "$work/submitted")"; fi
    [ -s "$dir/slurm/array.sh" ] || fail "array.sh is not written"
    [ -s "$dir/slurm/merge.sh" ] || fail "merge.sh is not written"
    records "$merge" | grep "Dependency=afterany:$array" > /dev/null || fail "the merge does not wait for the array: $(records "$merge" | field Dependency)"
}

# Waits until jobs have ended, at most LIMIT seconds: LIMIT, JOB...
wait_for() {
    local limit=$((SECONDS + $1)) list
    list="$(IFS=, && echo "${*:2}")"
    while [ -n "$(timeout 20 squeue --noheader --jobs="$list" 2> /dev/null || true)" ]; do
        ((SECONDS < limit)) || fail "jobs $list do not end within $1 s"
        sleep 0.5
    done
}

# Sets $task to the task of the array whose `relrv unit` process PID is, or to nothing: a script, srun or time that calls it
# is not meant. Nothing but bash works here, because a unit may take no longer than some tens of programs that are started.
look_at() {
    local entry job="" id="" comm=""
    task=""
    entry=()
    { read -r comm < "/proc/$1/comm" && mapfile -d '' -t entry < "/proc/$1/cmdline"; } 2> /dev/null || return 0
    [ "$comm" = "$process_name" ] || return 0
    case " ${entry[*]} " in *" unit "*) ;; *) return 0 ;; esac
    { mapfile -d '' -t entry < "/proc/$1/environ"; } 2> /dev/null || return 0
    for entry in "${entry[@]}"; do
        case "$entry" in
            SLURM_ARRAY_JOB_ID=*) job="${entry#*=}" ;;
            SLURM_ARRAY_TASK_ID=*) id="${entry#*=}" ;;
        esac
    done
    if [ "$job" = "$array" ]; then task="$id"; fi
}

# Holds (SIGSTOP) the processes of the two tasks as soon as they are there, and sets $killed_pid and $requeued_pid.
hold() {
    local file pid
    for file in /proc/[0-9]*; do
        pid="${file#/proc/}"
        look_at "$pid"
        if [ "$task" = "$killed_task" ] && [ -z "$killed_pid" ]; then
            kill -STOP "$pid" || fail "unit $killed ended too fast"
            killed_pid="$pid"
        elif [ "$task" = "$requeued_task" ] && [ -z "$requeued_pid" ]; then
            kill -STOP "$pid" || fail "unit $requeued ended too fast"
            requeued_pid="$pid"
        fi
    done
}

# Lets a held process work in short steps until relrv says that its unit is being measured: PID, UNIT.
work_a_little() {
    local i state
    for ((i = 0; i < 200; i++)); do
        state="$(state_of "$2")"
        case "$state" in
            running) return ;;
            missing) ;;
            *) fail "unit $2 is ${state:-not in the status} while its process works" ;;
        esac
        kill -CONT "$1" 2> /dev/null || fail "the process of unit $2 is gone before it was touched"
        sleep 0.02
        kill -STOP "$1" 2> /dev/null || fail "the process of unit $2 is gone before it was touched"
    done
    fail "relrv status never says that unit $2 is running"
}

gone() { [ ! -e "/proc/$1" ] || grep -qs '^State:[[:space:]]*[ZX]' "/proc/$1/status"; }

# --- the cluster

# A caller's Slurm must not be used in place of this one.
for name in "${!SLURM_@}" "${!SBATCH_@}" "${!SQUEUE_@}"; do unset "$name"; done
settings="$("$here/cluster.sh" start "$work/c")" || exit $?
eval "$settings"
say "Slurm $(sinfo --version | cut -d' ' -f2) runs, one node with $(sinfo --noheader --format=%c) processors"
partition="$(sinfo --noheader --format=%R)"

# --- the survey: 16 small units, and 2 that take long enough to be met at work

cd "$work"
"$relrv" simulate --out small --seed 1 --stars 4 --nights 2 --exposures 2 --spectrographs 16 > simulate.log 2>&1
"$relrv" simulate --out large --seed 2 --stars 60 --nights 4 --exposures 3 --spectrographs 2 >> simulate.log 2>&1
"$relrv" run small large --out reference > run.log 2>&1
"$relrv" plan small large --out "$dir" > planned 2> plan.log
grep -qw 18 planned || fail "relrv plan does not say that there are 18 units: $(cat planned)"
units > before
[ "$(wc -l < before)" = 18 ] || fail "relrv status has not 18 units but $(wc -l < before)"
[ "$(awk '{ print $4 }' before | sort -u)" = missing ] || fail "a unit is not missing before the first task"

planid_of() { find "$1" -name 'med-*' | sed -nE '1s/.*med-[0-9]+-([^_]+)_sp.*/\1/p'; }
small="$(planid_of small)"
large="$(planid_of large)"
killed="$(awk -v p="$large" '$2 == p && $3 == 1 { print $1 }' before)"
requeued="$(awk -v p="$large" '$2 == p && $3 == 2 { print $1 }' before)"
failing="$(awk -v p="$small" '$2 == p && $3 == 7 { print $1 }' before)"
if [ -z "$killed" ] || [ -z "$requeued" ] || [ -z "$failing" ]; then fail "relrv status does not name the units: $(cat before)"; fi
lost="$(find small -name "med-*-${small}_sp07-*" | sort | sed -n 1p)"
two="$(printf '%s\n' "$killed" "$failing" | sort -n | paste -sd ' ')"
say "18 units are planned; unit $killed is to be killed, unit $failing to fail, unit $requeued to be requeued"

# --- the first submission

# Gone after the plan was made. Root can read every file, so to take the right to read it would not do.
mv "$lost" lost
# Nothing may start before this script looks.
scontrol update "PartitionName=$partition" State=DOWN
submit --task-minutes 0 --time 00:10:00 --mem-per-cpu 300M -- --comment=check
[ "$(wc -l < "$dir/slurm/tasks.txt")" = 18 ] || fail "not 18 tasks in tasks.txt"
[ "$(units_of_tasks)" = "$(seq 18 | paste -sd ' ')" ] || fail "the tasks are of units $(units_of_tasks)"
for want in TimeLimit=00:10:00 MinMemoryCPU=300M Comment=check; do
    records "$array" | grep -F " $want " > /dev/null || fail "the array job has not $want"
done
# The number of an array's first task is relrv's business.
first="$(records "$array" | field ArrayTaskId | sed -n '1s/[^0-9].*//p')"
task_of() { echo $(($(grep -nxE "0*$1(-0*$1)?" "$dir/slurm/tasks.txt" | cut -d: -f1) - 1 + first)); }
killed_task="$(task_of "$killed")"
requeued_task="$(task_of "$requeued")"
failing_task="$(task_of "$failing")"
say "job $array is an array of 18 tasks of one unit each, job $merge merges after it"

scontrol update "PartitionName=$partition" State=UP
limit=$((SECONDS + 60))
while [ -z "$killed_pid" ] || [ -z "$requeued_pid" ]; do
    ((SECONDS < limit)) || fail "the tasks of units $killed and $requeued were not met at work as processes named $process_name"
    hold
    sleep 0.01
done
work_a_little "$killed_pid" "$killed"
kill -KILL "$killed_pid"
say "process $killed_pid killed while it measured unit $killed"
work_a_little "$requeued_pid" "$requeued"
scontrol requeue "${array}_$requeued_task"
limit=$((SECONDS + 30))
until gone "$requeued_pid"; do
    ((SECONDS < limit)) || fail "the process of unit $requeued outlives that its task is requeued"
    sleep 0.2
done
say "task $requeued_task requeued while process $requeued_pid measured unit $requeued; that process has ended"

wait_for 120 "$array" "$merge"
say "jobs $array and $merge have ended"

# --- what the first submission left

[ "$(records "$array" | wc -l)" = 18 ] || fail "the array had not 18 tasks"
for task in $(records "$array" | field ArrayTaskId | sort -n); do
    state="$(record "$array" "$task" | field JobState) $(record "$array" "$task" | field ExitCode)"
    case "$task" in
        "$killed_task") [ "${state#COMPLETED}" = "$state" ] || fail "the task that was killed is $state" ;;
        "$failing_task") ;;
        *) [ "$state" = "COMPLETED 0:0" ] || fail "task $task is $state" ;;
    esac
done
[ "$(record "$array" "$requeued_task" | field Restarts)" = 1 ] || fail "task $requeued_task was not started twice"
for task in "$killed_task" "$failing_task" "$requeued_task"; do
    say "task $task: $(record "$array" "$task" | field JobState), exit $(record "$array" "$task" | field ExitCode), restarts $(record "$array" "$task" | field Restarts)"
done

"$relrv" status "$dir" > table || true
[ "$(not_done)" = "$two" ] || fail "not units $two but $(not_done) are not done"
units | awk '{ print $1, $4 }' > states
# The last line is the counts'.
sed '$d' table | awk '$1 ~ /^[0-9]+$/ { print $1, $4 }' | diff states - || fail "the table of relrv status is not what its JSON says"
for unit in $two; do
    state="$(awk -v n="$unit" '$1 == n { print $2 }' states)"
    case "$state" in missing | failed) ;; *) fail "unit $unit is $state though nobody measures it" ;; esac
    say "status: $(sed '$d' table | awk -v n="$unit" '$1 == n')"
done
tail -n 1 table | grep -qw 16 || fail "the last line of the table does not count 16: $(tail -n 1 table)"
say "status: $(tail -n 1 table)"

[ "$(records "$merge" | field ExitCode)" = 1:0 ] || fail "the merge of an incomplete survey ended with $(records "$merge" | field ExitCode)"
start="$(records "$merge" | field StartTime)"
records "$array" | field EndTime | while read -r end; do
    [[ ! "$end" > "$start" ]] || fail "the merge started at $start, before a task ended at $end"
done
cp "$(records "$merge" | field StdOut)" merged
[ "$(records "$merge" | field StdErr)" = "$(records "$merge" | field StdOut)" ] || cat "$(records "$merge" | field StdErr)" >> merged
status=0
"$relrv" merge "$dir" > merged_by_hand 2>&1 || status=$?
[ "$status" = 1 ] || fail "relrv merge of an incomplete survey exits with $status"
for unit in $two; do
    grep -qw "$unit" merged || fail "the merge job does not name unit $unit: $(cat merged)"
    grep -qw "$unit" merged_by_hand || fail "relrv merge does not name unit $unit: $(cat merged_by_hand)"
done
for product in "${products[@]}"; do
    [ ! -e "$dir/$product" ] || fail "the merge of an incomplete survey wrote $product"
done
say "the merge ran in spite of that, wrote nothing and ended with status 1:"
sed 's/^/        /' merged

# --- the second submission

mv lost "$lost"
units | awk '$4 == "done"' > done_first
submit
[ "$(units_of_tasks)" = "$two" ] || fail "the second submission runs units $(units_of_tasks), not $two"
tasks="$(wc -l < "$dir/slurm/tasks.txt")"
say "put back what was lost; job $array is an array of $tasks tasks for units $two, job $merge merges after it"
wait_for 60 "$array" "$merge"
[ "$(records "$array" | wc -l)" = "$tasks" ] || fail "the second array had not $tasks tasks"
[ "$(records "$array" | field JobState | sort -u)" = COMPLETED ] || fail "a task of the second array failed"
[ "$(records "$merge" | field JobState) $(records "$merge" | field ExitCode)" = "COMPLETED 0:0" ] || fail "the second merge ended with $(records "$merge" | field ExitCode)"
[ -z "$(not_done)" ] || fail "units $(not_done) are not done"
# A unit that is measured again takes another time.
units | awk -v a="$killed" -v b="$failing" '$1 != a && $1 != b' | diff done_first - || fail "a unit that was done has been measured again"
for product in "${products[@]}"; do
    [ -s "reference/$product" ] || fail "the reference has no $product"
    cmp "reference/$product" "$dir/$product" || fail "$product is not that of the reference run"
done
say "both tasks and the merge ended with status 0, and all ${#products[@]} products are the reference run's to the byte"
