// Command pulumi-resource-vault is the Pulumi provider plugin for Vault, with the resources that this project uses.
//
// It serves the same Terraform provider as the official plugin of the same version; tokens and property names are
// those of the Python package pulumi_vault.
package main

import (
	"github.com/hashicorp/terraform-provider-vault/schema"
	"github.com/hashicorp/terraform-provider-vault/vault"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"

	"vault-aws/tools/bridge"
)

// version is set by the linker: the release of pulumi_vault whose upstream this is. The engine compares it
// with the version that the Python package asks for.
var version = "0.0.0"

func resource(module, name string) *tfbridge.ResourceInfo {
	return bridge.Resource("vault", module, name)
}

func main() {
	bridge.Main(tfbridge.ProviderInfo{
		P:              shimv2.NewProvider(schema.NewProvider(vault.Provider()).SchemaProvider()),
		Name:           "vault",
		Version:        version,
		ResourcePrefix: "vault",
		Resources: map[string]*tfbridge.ResourceInfo{
			"vault_approle_auth_backend_role":      resource("appRole", "AuthBackendRole"),
			"vault_audit":                          resource("index", "Audit"),
			"vault_auth_backend":                   resource("index", "AuthBackend"),
			"vault_aws_secret_backend":             resource("aws", "SecretBackend"),
			"vault_aws_secret_backend_role":        resource("aws", "SecretBackendRole"),
			"vault_aws_secret_backend_static_role": resource("aws", "SecretBackendStaticRole"),
			"vault_generic_endpoint":               resource("generic", "Endpoint"),
			"vault_identity_group":                 resource("identity", "Group"),
			"vault_identity_group_alias":           resource("identity", "GroupAlias"),
			"vault_jwt_auth_backend":               resource("jwt", "AuthBackend"),
			"vault_jwt_auth_backend_role":          resource("jwt", "AuthBackendRole"),
			"vault_kubernetes_auth_backend_config": resource("kubernetes", "AuthBackendConfig"),
			"vault_kubernetes_auth_backend_role":   resource("kubernetes", "AuthBackendRole"),
			"vault_mount":                          resource("index", "Mount"),
			"vault_policy":                         resource("index", "Policy"),
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"vault_auth_backend":   bridge.Function("vault", "index", "getAuthBackend"),
			"vault_generic_secret": bridge.Function("vault", "generic", "getSecret"),
		},
	})
}
