package actuator_test

import "encoding/json"

func holds(have object, uid, version any) bool {
	meta := dig(have, "metadata")
	return (uid == nil || uid == meta["uid"]) && (version == nil || version == meta["resourceVersion"])
}

func scaleOf(o object) object {
	meta := dig(o, "metadata")
	return object{
		"kind": "Scale", "apiVersion": "autoscaling/v1", "spec": object{"replicas": dig(o, "spec")["replicas"]},
		"metadata": object{"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"], "resourceVersion": meta["resourceVersion"]},
	}
}

func status(code int, reason, message string) (int, object) {
	return code, object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message}
}

// merge is RFC 7396.
func merge(into, from object) {
	for k, v := range from {
		if v == nil {
			delete(into, k)
			continue
		}
		if child, ok := v.(map[string]any); ok {
			next, ok := into[k].(map[string]any)
			if !ok {
				next = object{}
				into[k] = next
			}
			merge(next, child)
			continue
		}
		into[k] = v
	}
}

// dig is an object within an object, made if it is not there.
func dig(o object, path ...string) object {
	for _, name := range path {
		next, ok := o[name].(map[string]any)
		if !ok {
			next = object{}
			o[name] = next
		}
		o = next
	}
	return o
}

func clone(o object) object {
	text, _ := json.Marshal(o)
	var out object
	_ = json.Unmarshal(text, &out)
	return out
}
