#!/bin/sh
# What a container does: web | worker | beat | migrate | manage COMMAND… | health ROLE.
# Each role is one process that gets the container's signals (exec). The options are those of feedback/embedded/programs.py.
set -eu

role=${1:-web}
if [ $# -gt 0 ]; then shift; fi

case "$role" in
web)
    # One process: each keeps a group-commit writer of its own. To grow, run more containers.
    exec python -m granian feedback.asgi:application --interface asgi --host 0.0.0.0 --port 8000 --workers 1 \
        --backpressure 8192 --no-ws --workers-kill-timeout 15 --log-level warning "$@"
    ;;
worker)
    exec python -m celery -A feedback worker --pool prefork --concurrency "${WORKER_CONCURRENCY:-2}" \
        --without-gossip --without-mingle --loglevel INFO "$@"
    ;;
beat)
    # The clock; exactly one an installation.
    exec python -m celery -A feedback beat --schedule /tmp/celerybeat-schedule --pidfile "" --loglevel INFO "$@"
    ;;
migrate)
    # Brings the tables up to date and, once, prints the first staff account. Harmless to run again.
    exec python -m feedback.embedded.schema
    ;;
manage)
    exec python manage.py "$@"
    ;;
health)
    case "${1:-web}" in
    web)
        exec python -c 'import sys
from feedback.embedded.programs import answers
sys.exit(not answers("127.0.0.1", 8000, "/healthz"))'
        ;;
    worker)
        exec python -m celery -A feedback inspect ping --destination "celery@$(hostname)" --timeout 5
        ;;
    beat)
        # Beat writes its schedule down every three minutes, for as long as it ticks.
        find /tmp -maxdepth 1 -name 'celerybeat-schedule*' -mmin -10 | grep -q .
        ;;
    *)
        echo "There is no check for '$1'. Known: web, worker, beat." >&2
        exit 64
        ;;
    esac
    ;;
*)
    echo "'$role' is no role. Known: web, worker, beat, migrate, manage COMMAND, health ROLE." >&2
    exit 64
    ;;
esac
