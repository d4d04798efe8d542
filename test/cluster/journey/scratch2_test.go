package journey
import ("testing";"fmt";"time";"encoding/json";"github.com/tessera-autoscaler/tessera/test/cluster/rig"
metav1 "k8s.io/apimachinery/pkg/apis/meta/v1";"k8s.io/apimachinery/pkg/types")
func TestScratch(t *testing.T){
 c,err:=rig.Start(t.Context(), rig.Options{})
 if err!=nil{t.Fatal(err)}
 defer c.Stop()
 if err:=c.Apply(t.Context(), []byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: models}\n")); err!=nil {t.Fatal(err)}
 if err:=c.Apply(t.Context(), manifests(t)); err!=nil {t.Fatal(err)}
 D:=c.Client.AppsV1().Deployments("models")
 show:=func(){ d,_:=D.Get(t.Context(),"transcribe-de-1g",metav1.GetOptions{}); for _,m:=range d.ManagedFields{ b,_:=json.Marshal(m); fmt.Println(string(b))}; fmt.Println()}
 s,_:=D.GetScale(t.Context(),"transcribe-de-1g",metav1.GetOptions{}); s.Spec.Replicas=1
 D.UpdateScale(t.Context(),"transcribe-de-1g",s,metav1.UpdateOptions{FieldManager:"tessera"})
 show()
 time.Sleep(3*time.Second)
 D.Patch(t.Context(),"transcribe-de-1g",types.MergePatchType,[]byte(`{"spec":{"replicas":2}}`),metav1.PatchOptions{FieldManager:"kubectl"},"scale")
 time.Sleep(3*time.Second)
 show()
}
