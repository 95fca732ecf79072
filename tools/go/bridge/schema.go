package bridge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	pschema "github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// Schema describes the resources and functions that info maps, and the provider's own configuration, as a Pulumi
// package schema in JSON. Names, types and secrets are those that the bridge itself uses at run time; descriptions and
// defaults are left out. A mapping of something that the upstream provider does not have is an error.
func Schema(info tfbridge.ProviderInfo) ([]byte, error) {
	spec := pschema.PackageSpec{
		Name:      info.Name,
		Version:   info.Version,
		Types:     map[string]pschema.ComplexTypeSpec{},
		Resources: map[string]pschema.ResourceSpec{},
		Functions: map[string]pschema.FunctionSpec{},
	}
	b := builder{pkg: info.Name, types: spec.Types}
	for name, mapped := range info.Resources {
		upstream, ok := info.P.ResourcesMap().GetOk(name)
		if !ok {
			return nil, fmt.Errorf("the upstream provider has no resource %q", name)
		}
		token := string(mapped.Tok)
		spec.Resources[token] = b.resource(token, upstream.Schema(), mapped.Fields)
	}
	for name, mapped := range info.DataSources {
		upstream, ok := info.P.DataSourcesMap().GetOk(name)
		if !ok {
			return nil, fmt.Errorf("the upstream provider has no data source %q", name)
		}
		token := string(mapped.Tok)
		r := b.resource(token, upstream.Schema(), mapped.Fields)
		spec.Functions[token] = pschema.FunctionSpec{
			Inputs: &pschema.ObjectTypeSpec{Type: "object", Properties: r.InputProperties, Required: r.RequiredInputs},
			ReturnType: &pschema.ReturnTypeSpec{
				ObjectTypeSpec: &pschema.ObjectTypeSpec{Type: "object", Properties: r.Properties},
			},
		}
	}
	provider := b.resource("pulumi:providers:"+info.Name, info.P.Schema(), info.Config)
	spec.Provider, spec.Config.Variables = &provider, provider.InputProperties
	return json.Marshal(spec)
}

// builder collects the named object types that nested blocks become.
type builder struct {
	pkg   string
	types map[string]pschema.ComplexTypeSpec
}

// resource maps a Terraform schema to a Pulumi one: everything can be read, and what the user may set is an input.
func (b builder) resource(token string, tf shim.SchemaMap, fields map[string]*tfbridge.SchemaInfo) pschema.ResourceSpec {
	r := pschema.ResourceSpec{InputProperties: map[string]pschema.PropertySpec{}}
	r.Type, r.Properties = "object", map[string]pschema.PropertySpec{}
	tf.Range(func(key string, s shim.Schema) bool {
		info := fields[key]
		if s.Removed() != "" || (info != nil && info.Omit) {
			return true
		}
		name := tfbridge.TerraformToPulumiNameV2(key, tf, fields)
		property := pschema.PropertySpec{TypeSpec: b.typeOf(token, name, s, info), Secret: secret(s, info)}
		r.Properties[name] = property
		if (s.Required() || s.Optional()) && !computedOnly(info) {
			r.InputProperties[name] = property
		}
		if s.Required() && (info == nil || info.Default == nil && info.MarkAsOptional == nil) {
			r.RequiredInputs = append(r.RequiredInputs, name)
		}
		return true
	})
	slices.Sort(r.RequiredInputs)
	return r
}

// typeOf gives the Pulumi type of one property. A nested block becomes a named object type of its own.
func (b builder) typeOf(token, name string, s shim.Schema, info *tfbridge.SchemaInfo) pschema.TypeSpec {
	switch s.Type() {
	case shim.TypeBool:
		return pschema.TypeSpec{Type: "boolean"}
	case shim.TypeInt:
		return pschema.TypeSpec{Type: "integer"}
	case shim.TypeFloat:
		return pschema.TypeSpec{Type: "number"}
	case shim.TypeString:
		return pschema.TypeSpec{Type: "string"}
	case shim.TypeMap:
		element := b.elementOf(token, name, s, info)
		return pschema.TypeSpec{Type: "object", AdditionalProperties: &element}
	case shim.TypeList, shim.TypeSet:
		element := b.elementOf(token, name, s, info)
		if tfbridge.IsMaxItemsOne(s, info) {
			return element
		}
		return pschema.TypeSpec{Type: "array", Items: &element}
	default:
		return pschema.TypeSpec{Ref: "pulumi.json#/Any"}
	}
}

func (b builder) elementOf(token, name string, s shim.Schema, info *tfbridge.SchemaInfo) pschema.TypeSpec {
	var element *tfbridge.SchemaInfo
	if info != nil {
		element = info.Elem
	}
	switch e := s.Elem().(type) {
	case shim.Schema:
		return b.typeOf(token, name, e, element)
	case shim.Resource:
		if s.Type() == shim.TypeMap { // the second Terraform SDK reads such a block as a map of strings
			return pschema.TypeSpec{Type: "string"}
		}
		var fields map[string]*tfbridge.SchemaInfo
		if element != nil {
			fields = element.Fields
		}
		return b.object(token, name, e.Schema(), fields)
	default:
		return pschema.TypeSpec{Type: "string"}
	}
}

// object names the type of a nested block after the token that holds it and the property's name.
func (b builder) object(token, name string, tf shim.SchemaMap, fields map[string]*tfbridge.SchemaInfo) pschema.TypeSpec {
	parts := strings.Split(token, ":")
	member := parts[2] + strings.ToUpper(name[:1]) + name[1:]
	nested := fmt.Sprintf("%s:%s:%s", b.pkg, parts[1], member)
	block := b.resource(nested, tf, fields)
	b.types[nested] = pschema.ComplexTypeSpec{ObjectTypeSpec: pschema.ObjectTypeSpec{
		Type: "object", Properties: block.Properties, Required: block.RequiredInputs,
	}}
	return pschema.TypeSpec{Type: "object", Ref: "#/types/" + nested}
}

func computedOnly(info *tfbridge.SchemaInfo) bool {
	return info != nil && info.MarkAsComputedOnly != nil && *info.MarkAsComputedOnly
}

func secret(s shim.Schema, info *tfbridge.SchemaInfo) bool {
	if info != nil && info.Secret != nil {
		return *info.Secret
	}
	return s.Sensitive()
}
