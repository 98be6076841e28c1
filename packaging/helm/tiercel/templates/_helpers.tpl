{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- /* The name of all objects. */ -}}
{{- define "tiercel.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- /* The labels by which the DaemonSet finds its pods. They cannot be changed later. */ -}}
{{- define "tiercel.selector" -}}
{"app.kubernetes.io/name":"tiercel","app.kubernetes.io/instance":{{ .Release.Name | toJson }}}
{{- end -}}

{{- /* The labels of all objects. */ -}}
{{- define "tiercel.labels" -}}
{{- $own := dict "app.kubernetes.io/name" "tiercel" "app.kubernetes.io/instance" .Release.Name "app.kubernetes.io/version" .Chart.AppVersion "app.kubernetes.io/managed-by" .Release.Service -}}
{{- merge $own .Values.commonLabels | toJson -}}
{{- end -}}

{{- /* The reference of an image: (dict "images" .Values.images "image" .Values.images.privd). A digest wins over a tag. */ -}}
{{- define "tiercel.image" -}}
{{- $registry := default .images.registry .image.registry -}}
{{- if $registry }}{{ $registry }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ default .images.tag .image.tag }}{{ end -}}
{{- end -}}

{{- /* The account of the pods. */ -}}
{{- define "tiercel.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tiercel.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* courier.yaml, as JSON. */ -}}
{{- define "tiercel.courier" -}}
{{- merge (dict "destinations" .Values.courier.destinations) .Values.courier.config | toJson -}}
{{- end -}}
