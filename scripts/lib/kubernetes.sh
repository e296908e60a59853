# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# What the scripts for a cluster share: where it is, manifests, and what they say. Sourced after common.sh.

ENVIRONMENTS="dev stage prod"
APPS="notification-api dispatcher scheduler"
FIELD_MANAGER=carillon-deploy

# use_environment NAME sets ENVIRONMENT, NAMESPACE and CONTEXT. What others depend on is never reached by whatever
# context happens to be current.
use_environment() {
  case " $ENVIRONMENTS " in
    *" $1 "*) ;;
    *) usage_error "there is no environment \"$1\"; there are: $ENVIRONMENTS" ;;
  esac
  ENVIRONMENT=$1
  NAMESPACE=carillon-$1
  have kubectl || die "kubectl is missing: https://kubernetes.io/docs/tasks/tools/"
  CONTEXT=${CARILLON_CONTEXT:-}
  if [ -z "$CONTEXT" ]; then
    [ "$1" = dev ] || die "CARILLON_CONTEXT is not set: the context of kubectl that $1 is in (kubectl config get-contexts)"
    CONTEXT=$(kubectl config current-context 2>/dev/null) ||
      die "kubectl has no current context: kubectl config use-context NAME, or set CARILLON_CONTEXT"
  fi
  kubectl config get-contexts "$CONTEXT" >/dev/null 2>&1 ||
    die "kubectl has no context \"$CONTEXT\" (kubectl config get-contexts)"
}

usage_error() {
  note "error: $*"
  usage >&2
  exit 2
}

kube() { kubectl --context "$CONTEXT" --namespace "$NAMESPACE" "$@"; }

check_access() {
  local answer
  answer=$(kube --request-timeout 10s get --raw /readyz 2>&1) || die "the API server of context $CONTEXT does not answer: $answer"
}

namespace_exists() { kube get namespace "$NAMESPACE" >/dev/null 2>&1; }

# --- manifests, as kubectl kustomize writes them: "kind:" at the beginning of a line, "  name:" under "metadata:" ----------

# documents FILE KIND... prints those of these kinds; with "not" before them, all others.
documents() {
  local file=$1 but=no
  shift
  if [ "$1" = not ]; then
    but=yes
    shift
  fi
  awk -v kinds=" $* " -v but="$but" '
    function flush() {
      if (text != "" && (index(kinds, " " kind " ") > 0) == (but == "no")) printf "---\n%s", text
      text = ""
    }
    /^---$/ { flush(); next }
    /^kind: / { kind = $2 }
    { text = text $0 "\n" }
    END { flush() }
  ' "$file"
}

# objects FILE prints Kind/name, one a line.
objects() {
  awk '
    /^---$/ { inside = 0; next }
    /^kind: / { kind = $2 }
    /^[a-z]/ { inside = ($1 == "metadata:") }
    inside && /^  name: / { print kind "/" $2 }
  ' "$1" | LC_ALL=C sort
}

# only_in ONE OTHER: the objects of one manifest that another does not have.
only_in() {
  objects "$2" >"$2.objects"
  objects "$1" | LC_ALL=C comm -23 - "$2.objects"
}

names_of() { objects "$1" | sed -n "s|^$2/||p"; }

# apply FILE, unless it is empty.
apply() {
  if [ -s "$1" ]; then
    kube apply --server-side --force-conflicts --field-manager "$FIELD_MANAGER" --filename "$1"
  fi
}

# --- what runs -------------------------------------------------------------------------------------------------------

print_running() {
  local columns='NAME:.metadata.name,READY:.status.readyReplicas,WANTED:.spec.replicas,IMAGE:.spec.template.spec.containers[0].image'
  columns="$columns,SETTINGS:.spec.template.spec.containers[0].envFrom[0].configMapRef.name"
  kube get deployments --selector app.kubernetes.io/part-of=carillon --output custom-columns="$columns"
}

# ask SERVICE PATH prints the answer of one of the pods behind it, by way of the API server; where that may not reach
# pods, through a port that kubectl forwards. CARILLON_ASK_BY=proxy or port-forward allows one of them only.
ask() {
  case ${CARILLON_ASK_BY:-both} in
    proxy) ask_by_proxy "$@" ;;
    port-forward) ask_by_port_forward "$@" ;;
    both) ask_by_proxy "$@" 2>/dev/null || ask_by_port_forward "$@" ;;
    *) die "CARILLON_ASK_BY must be proxy, port-forward or both" ;;
  esac
}

ask_by_proxy() { kube --request-timeout 10s get --raw "/api/v1/namespaces/$NAMESPACE/services/http:$1:http/proxy$2"; }

ask_by_port_forward() {
  local output=$WORK/port-forward pid port='' status=0 tenths=100
  have curl || {
    note "curl is missing"
    return 1
  }
  : >"$output"
  kube port-forward "service/$1" :http >"$output" 2>&1 </dev/null &
  pid=$!
  while [ -z "$port" ] && [ "$tenths" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do
    port=$(sed -n 's/^Forwarding from 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$output" | head -n 1)
    tenths=$((tenths - 1))
    sleep 0.1
  done
  if [ -n "$port" ]; then
    curl --silent --show-error --fail-with-body --max-time 10 "http://127.0.0.1:$port$2" || status=$?
  else
    cat "$output" >&2
    status=1
  fi
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  return "$status"
}

# Both paths of all apps. Endpoints follow readiness a moment later, so it asks for a while.
check_health() {
  local app path answer tries
  for app in $APPS; do
    for path in /health /health/ready; do
      tries=${CARILLON_HEALTH_TRIES:-15}
      until answer=$(ask "$app" "$path" 2>&1); do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
          note "$app does not answer $path: $answer"
          return 1
        fi
        sleep 1
      done
      say "$app$path: $answer"
    done
  done
}

# interruptible COMMAND...: a signal that comes meanwhile is heeded at once, not at the command's end.
CHILD=
interruptible() {
  local status=0
  "$@" &
  CHILD=$!
  wait "$CHILD" || status=$?
  CHILD=
  return "$status"
}
end_child() {
  if [ -n "$CHILD" ]; then kill "$CHILD" 2>/dev/null || true; fi
}

# wait_for_rollout KIND NAME...: until all replicas are the new ones, and ready.
wait_for_rollout() {
  local kind=$1 name result=0
  shift
  for name in "$@"; do
    interruptible kubectl --context "$CONTEXT" --namespace "$NAMESPACE" rollout status "$kind/$name" --timeout "${CARILLON_ROLLOUT_SECONDS:-300}s" || result=1
    [ "$result" = 0 ] || break
  done
  return "$result"
}

# wait_for_least MANIFEST: until every autoscaler has brought up the fewest replicas that it allows.
wait_for_least() {
  local name least ready ends=$((SECONDS + ${CARILLON_ROLLOUT_SECONDS:-300}))
  for name in $(names_of "$1" HorizontalPodAutoscaler); do
    least=$(kube get horizontalpodautoscaler "$name" --output jsonpath='{.spec.minReplicas}') || return 1
    until ready=$(kube get deployment "$name" --output jsonpath='{.status.readyReplicas}') && [ "${ready:-0}" -ge "$least" ]; do
      if [ "$SECONDS" -ge "$ends" ]; then
        note "$name has ${ready:-0} of at least $least replicas"
        return 1
      fi
      sleep 1
    done
  done
}

# What people look at first when a rollout has failed.
explain_failure() {
  local pod
  note "--- pods"
  kube get pods --output wide >&2 || true
  note "--- last events"
  kube get events --sort-by .lastTimestamp 2>/dev/null | tail -n 20 >&2 || true
  # shellcheck disable=SC2016 # what looks like variables is the template's
  for pod in $(kube get pods --output go-template='{{range .items}}{{$ready := false}}{{range .status.conditions}}{{if and (eq .type "Ready") (eq .status "True")}}{{$ready = true}}{{end}}{{end}}{{if and (not $ready) (ne .status.phase "Succeeded")}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}' 2>/dev/null | head -n 5); do
    note "--- last lines of $pod"
    kube --request-timeout 10s logs "$pod" --all-containers --tail 15 >&2 || note "no logs of $pod"
  done
}
