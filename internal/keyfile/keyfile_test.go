// Copyright 2026 The TokenGo Authors
// SPDX-License-Identifier: Apache-2.0

package keyfile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/tokengo/tokengo/internal/keyfile"
)

func TestWriteThenRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "er", "key")
	for _, want := range [][]byte{[]byte("first"), []byte("second, replacing it")} {
		if err := keyfile.Write(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := keyfile.Read(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("Read = %q, %v, want %q", got, err, want)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("directory holds %v, %v, want the key file alone", left, err)
	}
}

func TestReadRefusesExposed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows has no file modes")
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := keyfile.Write(path, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o644, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := keyfile.Read(path); !errors.Is(err, keyfile.ErrExposed) {
			t.Errorf("Read with mode %04o: error = %v, want ErrExposed", mode, err)
		}
	}
}

func TestReadMissing(t *testing.T) {
	if _, err := keyfile.Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v, want os.ErrNotExist", err)
	}
}

func TestReadTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := keyfile.Write(path, make([]byte, 1<<20+1)); err != nil {
		t.Fatal(err)
	}
	if _, err := keyfile.Read(path); err == nil {
		t.Error("a file over 1 MiB was read")
	}
}
