// Package bridge serves a Terraform provider to Pulumi with a hand-picked list of resources and functions.
package bridge

import (
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// maxName is how long a name that is made up may be.
const maxName = 255

// Resource gives the type token of a Pulumi resource, e.g. vault:aws/secretBackend:SecretBackend for ("vault", "aws",
// "SecretBackend").
func Resource(pkg, module, name string) *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{Tok: tokens.Type(token(pkg, module, name))}
}

// Function gives the token of a Pulumi function, e.g. aws:iam/getPolicyDocument:getPolicyDocument for ("aws", "iam",
// "getPolicyDocument").
func Function(pkg, module, name string) *tfbridge.DataSourceInfo {
	return &tfbridge.DataSourceInfo{Tok: tokens.ModuleMember(token(pkg, module, name))}
}

// Main serves the provider until the engine ends it. The schema that it serves is computed from the mapping at start,
// so that the two cannot differ.
//
// A resource whose `name` is left out gets one made of its Pulumi name and a random suffix, as with the official plugins.
func Main(info tfbridge.ProviderInfo) {
	info.SetAutonaming(maxName, "-")
	schema, err := Schema(info)
	if err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-resource-%s: %v\n", info.Name, err)
		os.Exit(1)
	}
	// The bridge keeps notes on renames here. There are none to keep: every mapping is written by hand.
	info.MetadataInfo = tfbridge.NewProviderMetadata([]byte("{}"))
	tfbridge.Main(info.Name, info.Version, info, schema)
}

func token(pkg, module, name string) string {
	return fmt.Sprintf("%s:%s/%s%s:%s", pkg, module, strings.ToLower(name[:1]), name[1:], name)
}
