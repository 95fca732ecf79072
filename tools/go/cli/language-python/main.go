// Command pulumi-language-python is a Pulumi language host for Python: the engine starts it to run programs and policy
// packs that are written in Python.
//
// Program, policy pack and dependencies are handled as the engine of the same version expects it. What the engine asks
// only of a host that generates code (SDKs, converted programs, project templates) is left out.
//
// It serves gRPC on a free port of the loopback interface, prints that port as its first line, and expects the script
// pulumi-language-python-exec, which comes with the SDK, in its own folder.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// engineCheck is how often the host looks whether its engine still lives, so that it does not outlive a killed one.
const engineCheck = time.Minute

func main() {
	if err := serve(); err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-language-python: %v\n", err)
		os.Exit(1)
	}
}

func serve() error {
	tracing := flag.String("tracing", "", "address that programs send their traces to")
	flag.Parse() // -v and -logtostderr, which the engine hands on, are defined by the SDK's log
	engine := flag.Arg(0)
	if engine == "" || flag.NArg() != 1 {
		return fmt.Errorf("expected the engine's address as the only argument; this program is started by pulumi")
	}
	exec, err := execScript()
	if err != nil {
		return err
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := rpcutil.Healthcheck(ctx, engine, engineCheck, stop); err != nil {
		return fmt.Errorf("the engine at %s does not answer: %w", engine, err)
	}

	h := newHost(engine, exec, *tracing)
	done := make(chan bool)
	context.AfterFunc(ctx, func() {
		h.stop()
		close(done)
	})
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: done,
		Init: func(srv *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(srv, h)
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}

// execScript finds the script that runs a program inside Python; it is built beside this binary.
func execScript() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return "", err
	}
	script := filepath.Join(filepath.Dir(self), "pulumi-language-python-exec")
	if _, err := os.Stat(script); err != nil {
		return "", fmt.Errorf("the script that runs programs is missing: %w", err)
	}
	return script, nil
}
