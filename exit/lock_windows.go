// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package exit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// errSharing is ERROR_SHARING_VIOLATION: another process has the file open and shares it with nobody.
const errSharing syscall.Errno = 32

// stateLock is the lead of an exit. The system frees it when the process ends.
type stateLock struct{ handle syscall.Handle }

// lockState takes the lock of a state directory, which it makes when it is missing. It returns nil when
// another process has it.
func lockState(dir string) (*stateLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lock state directory: %w", err)
	}
	path, err := syscall.UTF16PtrFromString(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, fmt.Errorf("lock state directory: %w", err)
	}
	const unshared = 0
	h, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, unshared, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case err == nil:
		return &stateLock{h}, nil
	case errors.Is(err, errSharing):
		return nil, nil
	}
	return nil, fmt.Errorf("lock state directory %s: %w", dir, err)
}

// release lets another process take the lock.
func (l *stateLock) release() {
	if l != nil {
		syscall.CloseHandle(l.handle)
	}
}
