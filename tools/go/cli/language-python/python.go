package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// grace is the time that Python has to end by itself once it is told to.
const grace = 5 * time.Second

// pythonOf finds the Python that the project's `runtime.options` in Pulumi.yaml name. An option that this host does not
// know is an error rather than ignored.
func pythonOf(info *pulumirpc.ProgramInfo) (toolchain.Toolchain, error) {
	if info == nil {
		return nil, errors.New("the engine sent no program; pulumi and pulumi-language-python are of different versions")
	}
	options := toolchain.PythonOptions{Root: info.RootDirectory, ProgramDir: info.ProgramDirectory}
	for name, value := range info.Options.AsMap() {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("runtime option %q in Pulumi.yaml: expected text, not %v", name, value)
		}
		switch name {
		case "virtualenv":
			options.Virtualenv = text
		case "toolchain":
			if err := setToolchain(&options, text); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("runtime option %q in Pulumi.yaml is not known here; known are virtualenv and toolchain",
				name)
		}
	}
	return toolchain.ResolveToolchain(options)
}

func setToolchain(options *toolchain.PythonOptions, name string) error {
	switch name {
	case "pip":
		options.Toolchain = toolchain.Pip
	case "poetry":
		options.Toolchain = toolchain.Poetry
	case "uv":
		options.Toolchain = toolchain.Uv
	default:
		return fmt.Errorf("runtime option toolchain in Pulumi.yaml is %q; known are pip, poetry and uv", name)
	}
	return nil
}

// runProgram runs a Pulumi program and gives its exit code. Configuration, which may hold secrets, reaches it in the
// environment: other users of a machine can read a process's arguments.
func (h *host) runProgram(ctx context.Context, r *pulumirpc.RunRequest) (int, error) {
	args := []string{
		"-u", h.exec,
		"--monitor", r.MonitorAddress,
		"--engine", h.engine,
		"--project", r.Project,
		"--stack", r.Stack,
		"--organization", r.Organization,
		"--root_directory", r.GetInfo().GetRootDirectory(),
		"--pwd", r.Pwd,
		"--parallel", strconv.Itoa(int(r.Parallel)),
		"--dry_run", strconv.FormatBool(r.DryRun),
	}
	if h.tracing != "" {
		args = append(args, "--tracing", h.tracing)
	}
	args = append(args, program(r.GetInfo()))
	config, err := json.Marshal(orEmpty(r.Config))
	if err != nil {
		return 0, err
	}
	secretKeys, err := json.Marshal(append([]string{}, r.ConfigSecretKeys...))
	if err != nil {
		return 0, err
	}
	cmd, err := pythonCommand(ctx, r.Info, append(args, r.Args...))
	if err != nil {
		return 0, err
	}
	cmd.Env = append(cmd.Environ(),
		"PULUMI_CONFIG="+string(config), "PULUMI_CONFIG_SECRET_KEYS="+string(secretKeys))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return exitCode(ctx, cmd)
}

// runPlugin runs a policy pack by the module that the SDK has for it, which takes the engine's address and the pack's
// folder; any other plugin is a program that takes the engine's arguments.
func runPlugin(ctx context.Context, r *pulumirpc.RunPluginRequest, stdout, stderr io.Writer) (int, error) {
	args := append([]string{"-u", program(r.GetInfo())}, r.Args...)
	if r.Kind == "analyzer" {
		args = append([]string{"-u", "-m", "pulumi.policy"}, append(r.Args, r.GetInfo().GetProgramDirectory())...)
	}
	cmd, err := pythonCommand(ctx, r.Info, args)
	if err != nil {
		return 0, err
	}
	cmd.Dir = r.Pwd
	cmd.Env = append(cmd.Environ(), r.Env...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return exitCode(ctx, cmd)
}

// pythonCommand prepares a command of the project's Python. A virtual environment that is missing is an error here,
// which says how to make it, and not the "no such file" of a start that failed.
func pythonCommand(ctx context.Context, info *pulumirpc.ProgramInfo, args []string) (*exec.Cmd, error) {
	python, err := pythonOf(info)
	if err != nil {
		return nil, err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	cmd, err := python.Command(ctx, args...)
	if err != nil {
		return nil, err
	}
	// Not an interrupt: Python would print where it was interrupted, between the lines that say what went wrong.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	return cmd, nil
}

// exitCode runs a command to its end. A command that could not start, or was cancelled, is an error; one that failed is
// not.
func exitCode(ctx context.Context, cmd *exec.Cmd) (int, error) {
	err := cmd.Run()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.Exited() {
		return failed.ExitCode(), nil
	}
	return 0, err
}

// program is the path of what to run: a file, or a folder with a __main__.py.
func program(info *pulumirpc.ProgramInfo) string {
	return filepath.Join(info.GetProgramDirectory(), info.GetEntryPoint())
}

func orEmpty(config map[string]string) map[string]string {
	if config == nil {
		return map[string]string{}
	}
	return config
}
