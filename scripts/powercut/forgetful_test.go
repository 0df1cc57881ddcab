package powercut

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// forgetful is a disk as a file system: one folder in which processes live until the power fails. What they write is
// in its cache; what they flush, a file's content by its descriptor and names by that of the folder, is on the disk.
type forgetful struct {
	mu      sync.Mutex // guards the fields below
	disk    *disk
	power   *power
	numbers map[*inode]uint64

	server *fuse.Server
}

// plugIn mounts a disk.
func plugIn(d *disk, p *power, at string) (*forgetful, error) {
	f := &forgetful{disk: d, power: p, numbers: map[*inode]uint64{}}
	options := &fs.Options{MountOptions: fuse.MountOptions{DirectMount: true, FsName: "forgetful", Name: "forgetful", DisableXAttrs: true}}
	server, err := fs.Mount(at, &folder{of: f}, options)
	if err != nil {
		return nil, fmt.Errorf("mount the file system that forgets: %w", err)
	}
	f.server = server
	return f, nil
}

// cutPower takes the power away and returns what is on the disk, and whether there was anything that was not flushed.
func (f *forgetful) cutPower(survives survival, named func() int) (left map[string][]byte, forgot bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.power.fail()
	return f.disk.left(survives, named()), f.disk.waiting()
}

// with does something with the disk. Without power there is no answer, not even an error: a process that could do
// anything about it would be alive.
func (f *forgetful) with(do func(*disk) syscall.Errno) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.power.off {
		return do(f.disk)
	}
	f.mu.Unlock()
	<-f.power.over
	f.mu.Lock()
	return syscall.EIO
}

// changed does something that changes the disk, after which the power may fail.
func (f *forgetful) changed(do func(*disk) syscall.Errno) syscall.Errno {
	return f.with(func(d *disk) syscall.Errno {
		no := do(d)
		f.power.change()
		return no
	})
}

// node returns the kernel's handle of a file: the same one for all names of it.
func (f *forgetful) node(ctx context.Context, in *folder, of *inode, out *fuse.EntryOut) *fs.Inode {
	number, known := f.numbers[of]
	if !known {
		number = uint64(len(f.numbers) + 2) // 1 is the folder
		f.numbers[of] = number
	}
	describe(of, &out.Attr)
	return in.NewInode(ctx, &file{of: f, inode: of}, fs.StableAttr{Mode: syscall.S_IFREG, Ino: number})
}

func describe(of *inode, attr *fuse.Attr) {
	attr.Mode, attr.Size, attr.Nlink = syscall.S_IFREG|0o600, uint64(len(of.data)), 1
}

// folder is the one folder that there is.
type folder struct {
	fs.Inode
	of *forgetful
}

var (
	_ fs.NodeGetattrer = (*folder)(nil)
	_ fs.NodeLookuper  = (*folder)(nil)
	_ fs.NodeCreater   = (*folder)(nil)
	_ fs.NodeReaddirer = (*folder)(nil)
	_ fs.NodeRenamer   = (*folder)(nil)
	_ fs.NodeLinker    = (*folder)(nil)
	_ fs.NodeUnlinker  = (*folder)(nil)
	_ fs.NodeFsyncer   = (*folder)(nil)
)

func (n *folder) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Nlink = syscall.S_IFDIR|0o700, 2
	return 0
}

func (n *folder) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (node *fs.Inode, no syscall.Errno) {
	no = n.of.with(func(d *disk) syscall.Errno {
		inode, ok := d.names["/"+name]
		if !ok {
			return syscall.ENOENT
		}
		node = n.of.node(ctx, n, inode, out)
		return 0
	})
	return node, no
}

func (n *folder) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (node *fs.Inode, _ fs.FileHandle, _ uint32, no syscall.Errno) {
	no = n.of.changed(func(d *disk) syscall.Errno {
		if d.names["/"+name] == nil {
			d.rename(naming{to: "/" + name, file: &inode{}})
		}
		node = n.of.node(ctx, n, d.names["/"+name], out)
		return 0
	})
	return node, nil, 0, no
}

func (n *folder) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	var entries []fuse.DirEntry
	no := n.of.with(func(d *disk) syscall.Errno {
		for path := range d.names {
			entries = append(entries, fuse.DirEntry{Name: filepath.Base(path), Mode: syscall.S_IFREG})
		}
		return 0
	})
	return fs.NewListDirStream(entries), no
}

func (n *folder) Rename(_ context.Context, name string, _ fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	return n.of.changed(func(d *disk) syscall.Errno {
		moved, ok := d.names["/"+name]
		switch {
		case flags != 0:
			return syscall.EINVAL // to exchange two, or not to replace one: the store asks for neither
		case !ok:
			return syscall.ENOENT
		}
		d.rename(naming{from: "/" + name, to: "/" + newName, file: moved})
		return 0
	})
}

func (n *folder) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (node *fs.Inode, no syscall.Errno) {
	no = n.of.changed(func(d *disk) syscall.Errno {
		linked, ok := target.(*file)
		if !ok {
			return syscall.EPERM
		}
		d.rename(naming{to: "/" + name, file: linked.inode})
		node = n.of.node(ctx, n, linked.inode, out)
		return 0
	})
	return node, no
}

func (n *folder) Unlink(_ context.Context, name string) syscall.Errno {
	return n.of.changed(func(d *disk) syscall.Errno {
		if d.names["/"+name] == nil {
			return syscall.ENOENT
		}
		d.rename(naming{from: "/" + name})
		return 0
	})
}

func (n *folder) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return n.of.changed(func(d *disk) syscall.Errno { d.flushNames("/"); return 0 })
}

// file is a file, whatever it is called.
type file struct {
	fs.Inode
	of    *forgetful
	inode *inode // its fields are touched within of.with only
}

var (
	_ fs.NodeOpener    = (*file)(nil)
	_ fs.NodeGetattrer = (*file)(nil)
	_ fs.NodeSetattrer = (*file)(nil)
	_ fs.NodeReader    = (*file)(nil)
	_ fs.NodeWriter    = (*file)(nil)
	_ fs.NodeFsyncer   = (*file)(nil)
)

// Open lets the kernel keep pages of the file, without which it could not be mapped. What is written comes here at once
// all the same.
func (n *file) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, n.of.with(func(*disk) syscall.Errno { return 0 })
}

func (n *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return n.of.with(func(*disk) syscall.Errno { describe(n.inode, &out.Attr); return 0 })
}

func (n *file) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return n.of.changed(func(*disk) syscall.Errno {
		if size, ok := in.GetSize(); ok {
			n.inode.truncate(int64(size))
		}
		describe(n.inode, &out.Attr)
		return 0
	})
}

func (n *file) Read(_ context.Context, _ fs.FileHandle, into []byte, at int64) (read fuse.ReadResult, no syscall.Errno) {
	no = n.of.with(func(*disk) syscall.Errno {
		count := copy(into, n.inode.data[min(at, int64(len(n.inode.data))):])
		read = fuse.ReadResultData(into[:count])
		return 0
	})
	return read, no
}

func (n *file) Write(_ context.Context, _ fs.FileHandle, data []byte, at int64) (uint32, syscall.Errno) {
	no := n.of.changed(func(*disk) syscall.Errno { n.inode.write(at, string(data)); return 0 })
	return uint32(len(data)), no
}

func (n *file) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return n.of.changed(func(d *disk) syscall.Errno { d.flush(n.inode); return 0 })
}
