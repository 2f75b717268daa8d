{{/* What pods of all processes are made of. Each takes `root`, the chart's own scope, and `of`, the values of one process. */}}

{{- define "holdfast.pod" -}}
serviceAccountName: {{ include "holdfast.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .of.terminationGracePeriodSeconds }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  # Only while the volume's own folder is not ours: else every start would open the keyring to
  # the group again, and Holdfast would rightly refuse it.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .of.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What a container begins with: its image and its settings. */}}
{{- define "holdfast.program" -}}
image: {{ include "holdfast.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
envFrom:
  - configMapRef: {name: {{ include "holdfast.name" . }}-settings}
{{- end }}

{{/* What a container ends with, its mounts last: a process may add its own beneath. */}}
{{- define "holdfast.limits" -}}
securityContext:
  {{- include "holdfast.confined" .root | nindent 2 }}
resources:
  {{- toYaml .of.resources | nindent 2 }}
volumeMounts:
  {{- include "holdfast.mounts" .root | nindent 2 }}
{{- end }}

{{/* Makes keys, tables and the log where there are none, and brings the catalogue up to date. */}}
{{- define "holdfast.init" -}}
- name: init
  args: [init]
  {{- include "holdfast.program" .root | nindent 2 }}
  {{- include "holdfast.limits" . | nindent 2 }}
{{- end }}

{{/* A process that waits for an engine is healthy, and a restart heals nothing: no liveness probe. */}}
{{- define "holdfast.probes" -}}
startupProbe:
  httpGet: {path: /metrics, port: metrics}
  periodSeconds: 5
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /metrics, port: metrics}
  periodSeconds: 15
  timeoutSeconds: 5
{{- end }}

{{- define "holdfast.volumes" -}}
- name: data
  persistentVolumeClaim: {claimName: {{ .Values.storage.dataClaim }}}
- name: keys
  persistentVolumeClaim: {claimName: {{ .Values.storage.keysClaim }}}
- name: secrets
  secret:
    secretName: {{ .Values.existingSecret }}
    defaultMode: 0440
    items:
      {{- range $setting, $file := .Values.secretKeys }}
      - {key: {{ $file }}, path: {{ $file }}}
      {{- end }}
- name: tmp
  emptyDir: {sizeLimit: {{ .Values.storage.tmpSize }}}
{{- if .Values.existingCaConfigMap }}
- name: ca
  configMap: {name: {{ .Values.existingCaConfigMap }}}
{{- end }}
{{- end }}
