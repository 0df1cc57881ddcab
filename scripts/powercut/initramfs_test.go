package powercut

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// modules are those that a virtual disk needs, in the order in which they have to be loaded. Debian's kernel for clouds
// has ext4 built in.
var modules = []string{"virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk"}

// packInitramfs writes all that the machine has beside its disk: this program as its first process, the program under
// test, and modules of the kernel.
func packInitramfs(to, program, kernel string) (err error) {
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer file.Close()
	w := &cpio{to: bufio.NewWriter(file)}
	for _, folder := range []string{"dev", "proc", "tmp", "disk", "modules"} {
		w.add(folder, fs.ModeDir, nil)
	}
	w.addFile("init", os.Args[0])
	w.addFile("veilleuse", program)
	for _, name := range modules {
		found, err := filepath.Glob(filepath.Join(kernel, "lib", "modules", "*", "kernel", "drivers", "*", name+".ko"))
		if err != nil || len(found) != 1 {
			return fmt.Errorf("the kernel has %d modules named %s", len(found), name)
		}
		w.addFile("modules/"+name+".ko", found[0])
	}
	w.add("TRAILER!!!", 0, nil)
	return w.close()
}

// cpio writes an archive as the kernel unpacks it at its start ("newc",
// https://docs.kernel.org/driver-api/early-userspace/buffer-format.html).
type cpio struct {
	to     *bufio.Writer
	number int
	err    error
}

const (
	cpioFolder = 0o40755
	cpioFile   = 0o100755
)

func (c *cpio) add(name string, kind fs.FileMode, data []byte) {
	c.number++
	mode := cpioFile
	if kind.IsDir() {
		mode = cpioFolder
	}
	head := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		c.number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
	c.write(head + name + "\x00")
	c.write(string(make([]byte, -(len(head)+len(name)+1)&3)))
	c.write(string(data))
	c.write(string(make([]byte, -len(data)&3)))
}

func (c *cpio) addFile(name, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		c.err = err
		return
	}
	c.add(name, 0, data)
}

func (c *cpio) write(s string) {
	if c.err == nil {
		_, c.err = io.WriteString(c.to, s)
	}
}

func (c *cpio) close() error {
	if c.err != nil {
		return c.err
	}
	return c.to.Flush()
}
