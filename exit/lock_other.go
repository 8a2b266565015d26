// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !windows

package exit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// stateLock is the lead of an exit. The system frees it when the process ends.
type stateLock struct{ file *os.File }

// lockState takes the lock of a state directory, which it makes when it is missing. It returns nil when
// another process has it.
func lockState(dir string) (*stateLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lock state directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock state directory: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return &stateLock{f}, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, fmt.Errorf("lock state directory %s: %w", dir, err)
}

// release lets another process take the lock.
func (l *stateLock) release() {
	if l != nil {
		l.file.Close()
	}
}
