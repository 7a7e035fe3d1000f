package usage

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// Resident returns how many bytes of memory the process has resident: VmRSS, proc_pid_status(5). The kernel keeps the count
// per processor, and may be off by some hundred KiB.
func Resident(pid int) (int64, error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		rest, found := bytes.CutPrefix(lines.Bytes(), []byte("VmRSS:"))
		if !found {
			continue
		}
		kib, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(rest, []byte("kB")))), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: VmRSS: %w", path, err)
		}
		return kib << 10, nil
	}
	return 0, fmt.Errorf("%s has no VmRSS: the process has ended", path)
}
