{{- define "holdfast.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "holdfast.selector" -}}
app.kubernetes.io/name: holdfast
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "holdfast.labels" -}}
{{ include "holdfast.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "holdfast.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "holdfast.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "holdfast.name" .) }}
{{- end }}

{{/* What every container may: nothing but run. The jail needs no right that this takes away. */}}
{{- define "holdfast.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "holdfast.mounts" -}}
- {name: data, mountPath: /archive}
- {name: keys, mountPath: /keys}
- {name: secrets, mountPath: /run/secrets/holdfast, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.existingCaConfigMap }}
- {name: ca, mountPath: /etc/holdfast-ca, readOnly: true}
{{- end }}
{{- end }}

{{/* A number as people write it: YAML makes 1000000 a float, which would print as 1e+06. */}}
{{- define "holdfast.plain" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ int64 . }}
{{- else -}}
{{ . }}
{{- end }}
{{- end }}
