// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

// Package keyfile keeps secrets in files that only their owner can read.
//
// A secret is written whole or not at all, and one that others on the machine could read is refused
// rather than used, as ssh does: it may already be known. On Windows, where files carry access lists
// instead of modes, the check is left to the directory they are in.
package keyfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// maxSize bounds a secret file, bytes.
const maxSize = 1 << 20

// ErrExposed is wrapped by [Read] when the group or others may read the file.
var ErrExposed = errors.New("others can read it")

// Read returns the content of the file at path, at most 1 MiB, as ReadAtMost does.
func Read(path string) ([]byte, error) { return ReadAtMost(path, maxSize) }

// ReadAtMost returns the content of the file at path, at most limit bytes. It wraps [os.ErrNotExist] when there is
// none, and [ErrExposed] when its mode lets the group or others read or write it.
func ReadAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s has mode %04o: %w; run: chmod 600 %s",
			path, info.Mode().Perm(), ErrExposed, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("key file %s is larger than %d bytes", path, limit)
	}
	return data, nil
}

// Write puts data into the file at path with mode 0600, replacing what is there in one step, and makes
// the directory (0700) when it is missing.
func Write(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	defer os.Remove(tmp.Name()) // fails once renamed, as it should
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write key file %s: %w", path, err)
	}
	return nil
}
