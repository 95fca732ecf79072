package main

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// bailed is the exit code by which the exec script says that it has shown the error itself.
const bailed = 32

// host answers the engine. A method that it does not define answers "unimplemented", which the engine understands.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine  string // the engine's address
	exec    string // path of pulumi-language-python-exec
	tracing string // where programs send traces to; empty for nowhere

	cancelled context.Context // ends when the engine cancels, or the host stops
	stop      context.CancelFunc
}

func newHost(engine, exec, tracing string) *host {
	ctx, cancel := context.WithCancel(context.Background())
	return &host{engine: engine, exec: exec, tracing: tracing, cancelled: ctx, stop: cancel}
}

// Handshake takes the engine's address, which is the one that the host was started with unless the engine attached to
// a running host.
func (h *host) Handshake(
	_ context.Context, r *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = r.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo gives the version of the SDK that the host is built from.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

// GetRequiredPackages names no plugin to install before a run: the plugins stand on PATH, built with this host.
func (h *host) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// Run runs a program to its end. What the program prints goes to the host's own output, which the engine shows.
func (h *host) Run(ctx context.Context, r *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	ctx, done := h.bound(ctx)
	defer done()
	code, err := h.runProgram(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case code == bailed:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case code != 0:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program exited with code %d", code)}, nil
	default:
		return &pulumirpc.RunResponse{}, nil
	}
}

// RunPlugin runs a policy pack, or another plugin written in Python, and streams what it prints until it ends.
func (h *host) RunPlugin(r *pulumirpc.RunPluginRequest, s pulumirpc.LanguageRuntime_RunPluginServer) error {
	ctx, done := h.bound(s.Context())
	defer done()
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(s, false)
	if err != nil {
		return err
	}
	defer closer.Close()
	code, err := runPlugin(ctx, r, stdout, stderr)
	if err != nil {
		return err
	}
	return s.Send(&pulumirpc.RunPluginResponse{
		Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(code)},
	})
}

// InstallDependencies makes the virtual environment that the project names and installs its requirements there; it is
// what `pulumi install` asks for.
func (h *host) InstallDependencies(
	r *pulumirpc.InstallDependenciesRequest, s pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	ctx, done := h.bound(s.Context())
	defer done()
	python, err := pythonOf(r.Info)
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(s, r.IsTerminal)
	if err != nil {
		return err
	}
	defer closer.Close()
	return python.InstallDependencies(ctx, r.Info.ProgramDirectory, r.UseLanguageVersionTools, true, stdout, stderr)
}

// About names the Python that programs run with.
func (h *host) About(ctx context.Context, r *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	python, err := pythonOf(r.Info)
	if err != nil {
		return nil, err
	}
	about, err := python.About(ctx)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.AboutResponse{
		Executable: about.PythonExecutable,
		Version:    about.PythonVersion.String(),
	}, nil
}

// GetProgramDependencies lists the Python packages that a program finds installed.
func (h *host) GetProgramDependencies(
	ctx context.Context, r *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	python, err := pythonOf(r.Info)
	if err != nil {
		return nil, err
	}
	packages, err := python.ListPackages(ctx, r.TransitiveDependencies)
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, p := range packages {
		response.Dependencies = append(response.Dependencies,
			&pulumirpc.DependencyInfo{Name: p.Name, Version: p.Version})
	}
	return response, nil
}

// Cancel ends whatever runs.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.stop()
	return &emptypb.Empty{}, nil
}

// bound gives a context that ends with the call or with the host, whichever comes first.
func (h *host) bound(call context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(call)
	unhook := context.AfterFunc(h.cancelled, cancel)
	return ctx, func() {
		unhook()
		cancel()
	}
}
