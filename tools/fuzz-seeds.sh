#!/usr/bin/env bash
# Makes small seeds for the fuzz targets with the programs that are installed. Nothing of this is committed.
# usage: tools/fuzz-seeds.sh FOLDER
set -uo pipefail
out=${1:?usage: tools/fuzz-seeds.sh FOLDER}
export PATH="$PATH:/usr/sbin:/sbin"
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$out"/{ewf,disks,volumes,ntfs,fat,exfat,ext,zip,aff4_files,known,known_vics,known_table,known_delta,known_rds,known_list,known_parts,examination,recycle,picture,picture_meta,sqlite,plist,tar,intake,archives,android,ufdr,ios_keys,iso,hfs,apfs,xfs,luks,bitlocker,lvm,btrfs,udf,f2fs,tcrypt,corestorage}
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quiet() { "$@" >/dev/null 2>&1; }

mkdir -p "$work/tree/DCIM/100AVOCT" "$work/tree/a folder with a long name"
for i in 1 2 3 4 5 6; do
  head -c $((i * i * 300)) /dev/urandom >"$work/tree/DCIM/100AVOCT/a picture with a long name $i.jpg"
done
printf 'x' >"$work/tree/a folder with a long name/x"
head -c 9000 /dev/zero >"$work/tree/zeros"

for bits in 12 16 32; do
  image="$out/fat/fat$bits"
  rm -f "$image"
  case $bits in 12) blocks=200 ;; 16) blocks=2400 ;; 32) blocks=34000 ;; esac
  quiet mkfs.fat -C -F $bits -s 1 "$image" $blocks || continue
  quiet mcopy -s -i "$image" "$work/tree/DCIM" "$work/tree/a folder with a long name" "$work/tree/zeros" ::/
  quiet mdel -i "$image" "::/DCIM/100AVOCT/a picture with a long name 3.jpg"
  truncate -s '<700K' "$image"
done
for options in -R -J "-R -J"; do
  # shellcheck disable=SC2086 # two options
  quiet genisoimage $options -o "$out/iso/iso${options// /}" "$work/tree"
done
for kind in hfs:hfsplus apfs:apfs; do
  real="$root/../shared/testdata/disk/dfvfs/${kind#*:}.raw"
  [ -f "$real" ] && head -c 1400000 "$real" >"$out/${kind%:*}/real"
done
truncate -s 300M "$work/xfs" && quiet mkfs.xfs -q -f "$work/xfs" && head -c 1400000 "$work/xfs" >"$out/xfs/xfs"
truncate -s 128M "$work/btrfs" && quiet mkfs.btrfs -q -f -M -n 4096 --rootdir "$work/tree" "$work/btrfs" && head -c 8M "$work/btrfs" >"$out/btrfs/btrfs"
quiet genisoimage -udf -o "$out/udf/udf" "$work/tree"
truncate -s 48M "$work/f2fs" && quiet mkfs.f2fs -q -f "$work/f2fs" && quiet sload.f2fs -f "$work/tree" "$work/f2fs"
[ -f "$work/f2fs" ] && head -c 30M "$work/f2fs" >"$out/f2fs/f2fs"
rm -f "$out/exfat/exfat"
truncate -s 256K "$out/exfat/exfat" && quiet mkfs.exfat -c 512 -b 512 "$out/exfat/exfat" || rm -f "$out/exfat/exfat"
for kind in ext2 ext3 ext4; do
  image="$out/ext/$kind"
  rm -f "$image"
  size=400K
  [ $kind = ext3 ] && size=1400K
  options=(-O '^resize_inode')
  [ $kind = ext4 ] && options=(-O '^has_journal,^resize_inode,inline_data')
  truncate -s $size "$image"
  quiet mke2fs -F -t $kind -b 1024 -N 64 "${options[@]}" -d "$work/tree" "$image" || { rm -f "$image"; continue; }
  quiet debugfs -w -R 'rm "/zeros"' "$image"
done
rm -f "$out/ntfs/ntfs"
truncate -s 1100K "$out/ntfs/ntfs"
if quiet mkntfs -q -F -f -C -c 512 "$out/ntfs/ntfs"; then
  for file in "$work/tree/DCIM/100AVOCT"/*.jpg; do
    quiet ntfscp -f "$out/ntfs/ntfs" "$file" "/$(basename "$file")"
  done
  quiet ntfscp -f -N second "$out/ntfs/ntfs" "$work/tree/zeros" "/$(basename "$file")"
else
  rm -f "$out/ntfs/ntfs"
fi
if command -v python3 >/dev/null; then
  (cd "$work/tree" && quiet python3 -m zipfile -c "$out/zip/zip" .)
  python3 - "$out/aff4_files/files" <<'END'
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1], "w")
z.writestr("container.description", "aff4://v"); z.writestr("version.txt", "major=1\nminor=1\n"); z.writestr("/d/a b", b"12345")
z.writestr("s/00000000", b"abcd" * 16); z.writestr("s/00000000.index", bytes(8) + (64).to_bytes(4, "little"))
z.writestr("information.turtle", "@prefix a: <http://aff4.org/Schema#> .\n<aff4://v//d/a%20b> a a:FileImage ; a:size 5 ; a:originalFileName \"./d/a b\" ;"
           " a:hash \"827ccb0eea8a706c4c34a16891f84e7b\"^^a:MD5 ; a:lastWritten \"2024-05-06T07:08:09+02:00\" .\n<aff4://v/s> a a:FileImage, a:ImageStream ;"
           " a:chunkSize 64 ; a:chunksInSegment 4 ; a:size 64 .\n<aff4://v/f> a a:Folder ; a:originalFileName \"C:\\\\f\" .\n")
END
  for format in gnu pax ustar; do quiet tar -C "$work/tree" --format=$format -cf "$out/tar/$format" .; done
  python3 - "$out" <<'P'
import json, struct, sys
out = sys.argv[1]
md5, sha1, sha256 = "0123456789abcdef" * 2, "0123456789abcdef01234567" + "89abcdef" * 2, "0123456789abcdef" * 4
def put(name, text):
    open(f"{out}/{name}", "wb").write(text if isinstance(text, bytes) else text.encode())
media = {"MediaID": 1, "Category": 1, "MD5": md5, "SHA1": sha1, "MediaSize": "100", "Series": "s",
         "MediaFiles": [{"FileName": "a.jpg", "FilePath": "x", "MD5": md5}]}
context = "http://github.com/ICMEC/ProjectVic/DataModels/%s.xml/US/$metadata#Media"
for version in ("1.3", "2.0"):
    put("known/vics-" + version, json.dumps({"odata.metadata": context % version, "@odata.context": context % version,
                                             "value": [media, media]}))
put("known/csv", f"MD5,SHA1,SHA-256,Size,Category,FileName\n{md5},{sha1},{sha256},100,1,\"a,b\"\n")
put("known/nsrl", f'"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\n'
                  f'"{sha1}","{md5}","00000000","a",1,1,"1",""\n')
put("known/hashdeep", f"%%%% HASHDEEP-1.0\n%%%% size,md5,sha1,sha256,filename\n## x\n100,{md5},{sha1},{sha256},/a,b\n")
put("known/list", f"{md5}\n{sha1}\n{sha256}\n# remark\n")
put("known_vics/media", json.dumps(media) + "," + json.dumps(media | {"PhotoDNA": "0F" * 144, "MediaMetadata": [
    {"PropertyName": "PDQ", "PropertyValue": sha256}], "AlternativeHashes": [{"HashName": "SHA256", "HashValue": sha256}]}))
put("known_table/rows", f"{md5},{sha1},5,{sha256},{'0F' * 144},1,7,name\n{md5},,,,,,,\"a, b\"\n")
row = f"('{sha256}','{sha1}','{md5}','00','it''s',5,1)"
where = f"sha256='{sha256}' AND sha1='{sha1}' AND md5='{md5}' AND file_name='it''s' AND file_size=5 AND package_id=1"
put("known_delta/delta", f"INSERT INTO FILE VALUES {row},{row};\nUPDATE FILE SET package_id=2 WHERE {where};\n"
                         f"DELETE FROM FILE WHERE {where};\nINSERT INTO PKG VALUES (1,'p');\nCOMMIT;\n")
put("known_list/list", f"{sha256}\nhash={sha256},norm=1,delta=2,quality=3,filename=a\n5,{md5},x,/a,b\n")
put("known_parts/names", "a/gold_1.json\na/gold_02of05.json\nx (3).csv\npart4\n")
import os, sqlite3
path = f"{out}/known_rds/rds"
if os.path.exists(path): os.remove(path)
db = sqlite3.connect(path)
db.executescript(f"PRAGMA page_size=512; VACUUM; CREATE TABLE FILE (sha256 VARCHAR, sha1 VARCHAR, md5 VARCHAR, crc32 VARCHAR, "
                 f"file_name VARCHAR, file_size INTEGER, package_id INTEGER); CREATE TABLE VERSION (version VARCHAR); "
                 f"INSERT INTO VERSION VALUES ('1'); INSERT INTO FILE VALUES {row},{row},{row},{row},{row},{row};")
db.close()
import plistlib
path = f"{out}/sqlite/backup"
if os.path.exists(path): os.remove(path)
record = plistlib.dumps({"$top": {"root": plistlib.UID(1)}, "$objects": ["$null", {"Size": 9, "Birth": 1}, "a"]}, fmt=plistlib.FMT_BINARY)
db = sqlite3.connect(path)
db.executescript("PRAGMA page_size=512; VACUUM; CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB);")
db.executemany("INSERT INTO Files VALUES (?,?,?,?,?)", [(f"{i:040x}", "D", f"a/{i}", 1, record * (1 + i % 5)) for i in range(40)])
db.commit()
db.close()
put("plist/binary", record)
put("plist/xml", plistlib.dumps({"a": [1, 2.5, True, b"x", "y"], "b": {}}))
put("intake/xml", '<?xml version="1.0"?><report><reportId>7</reportId><a x="1"><ipAddress>192.0.2.7</ipAddress><eventName>Upload</eventName>'
    '<dateTime>2026-01-02T03:04:05Z</dateTime><port>443</port></a><fileAnnotations><viral>true</viral></fileAnnotations></report>')
put("intake/json", json.dumps({"ip": "192.0.2.7", "time": "2026-01-02 03:04", "zone": "CET", "a": [{"email": "a@example.org"}, 2.5, None]}))
put("intake/csv", "ip,time,port,phone\n192.0.2.7,2026-01-02T03:04:05+01:00,443,+44 20 7946 0000\n\"a,\"\"b\",,,\n")
put("known/utf16", f"\ufeff{md5}\r\n".encode("utf-16-le"))
name = "C:\\a\\b.jpg\0".encode("utf-16-le")
put("recycle/v1", struct.pack("<QQQ", 1, 9, 1 << 57) + name.ljust(520, b"\0"))
put("recycle/v2", struct.pack("<QQQI", 2, 9, 1 << 57, len(name) // 2) + name)
record = b"C:\\a\\b.jpg".ljust(260, b"\0") + struct.pack("<IIQI", 1, 2, 1 << 57, 9) + name.ljust(520, b"\0")
put("recycle/info2", struct.pack("<IIIII", 5, 0, 0, 800, 0) + record)
def disk(sectors, parts):
    d = bytearray(512 * sectors)
    for at, entries in parts:
        for i, (kind, first, count) in enumerate(entries):
            d[at * 512 + 446 + 16 * i:at * 512 + 462 + 16 * i] = struct.pack("<BBBBBBBBII", 0, 0, 0, 0, kind, 0, 0, 0, first, count)
        d[at * 512 + 510:at * 512 + 512] = b"\x55\xaa"
    return bytes(d)
put("volumes/mbr", disk(100, [(0, [(7, 4, 10), (5, 20, 60)]), (20, [(6, 2, 8), (5, 20, 20)]), (40, [(6, 2, 8)])]))
P
fi
rm -f "$work"/gpt
truncate -s 100K "$work/gpt"
quiet sgdisk -a 1 -n 1:34:60 -n 2:61:120 "$work/gpt" && cp "$work/gpt" "$out/volumes/gpt"
for source in fat/fat12 ext/ext4 exfat/exfat; do
  [ -e "$out/$source" ] && head -c 150K "$out/$source" >"$out/volumes/$(basename $source)"
done
if [ -e "$out/fat/fat12" ]; then
  quiet ewfacquire -q -u -t "$work/one" -c deflate:fast -b 16 "$out/fat/fat12" && cp "$work/one.E01" "$out/ewf/one"
  quiet ewfacquire -q -u -t "$work/none" -c none -b 16 "$out/fat/fat12" && cp "$work/none.E01" "$out/ewf/none"
  head -c 1100K /dev/urandom >"$work/noise"
  quiet ewfacquire -q -u -t "$work/two" -S 1048576 -b 64 "$work/noise" && cat "$work"/two.E0* >"$out/ewf/two"
fi
if [ -e "$out/fat/fat12" ]; then
  head -c 150K "$out/fat/fat12" >"$work/disk"
  for kind in qcow 'qcow2 -o cluster_size=512' 'qcow2 -c -o cluster_size=4096' 'qcow2 -c -o cluster_size=4096,compression_type=zstd' \
    vmdk 'vmdk -o subformat=streamOptimized'; do
    quiet qemu-img convert -f raw -O $kind "$work/disk" "$out/disks/${kind//[^a-z0-9]/-}"
  done
  # The blocks of a VHD are 2 MiB; what is behind the data goes, the footer stays.
  quiet qemu-img convert -f raw -O vpc "$work/disk" "$work/vhd" &&
    { head -c 200K "$work/vhd"; tail -c 512 "$work/vhd"; } >"$out/disks/vhd"
  printf '# Disk DescriptorFile\nparentCID=ffffffff\nRW 9 FLAT "a" 1\nRW 8 ZERO\n' >"$out/disks/descriptor"
fi
for kind in jpg png gif bmp tif webp ico jp2 heic avif jxl; do
  quiet convert -size 40x30 gradient:red-blue "$out/picture/$kind.$kind" || rm -f "$out/picture/$kind.$kind"
done
cp "$out"/picture/* "$out/picture_meta/" 2>/dev/null
cp "$root"/crates/avocet-examination/tests/data/*.examination "$out/examination/" 2>/dev/null
# Archives among the files, Android backups, reports of extractions, key bags.
cp "$out"/zip/* "$out"/tar/* "$out/archives/" 2>/dev/null
if [ -f "$out/tar/ustar" ]; then
  for program in gzip xz zstd; do command -v "$program" >/dev/null && "$program" -c <"$out/tar/ustar" >"$out/archives/$program" 2>/dev/null; done
  { printf 'ANDROID BACKUP\n1\n0\nnone\n'; cat "$out/tar/ustar"; } >"$out/android/plain"
  if command -v python3 >/dev/null; then
    { printf 'ANDROID BACKUP\n5\n1\nnone\n'
      python3 -c 'import sys,zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))' <"$out/tar/ustar"; } >"$out/android/packed"
  fi
fi
cat >"$out/ufdr/report" <<'EOF'
<?xml version="1.0"?><project xmlns="http://pa.cellebrite.com/report/2.0"><metadata section="Device Info"><item name="IMEI"><![CDATA[0]]></item></metadata>
<taggedFiles><file fs="Internal" path="/DCIM/a.jpg" size="5" deleted="Deleted" embedded="false"><accessInfo><timestamp name="CreationTime">2024-04-01T07:30:00.000+00:00</timestamp></accessInfo>
<metadata section="File"><item name="Local Path"><![CDATA[files\Image\a.jpg]]></item></metadata></file></taggedFiles></project>
EOF
if command -v python3 >/dev/null; then
  python3 - "$out/ios_keys/bag" <<'EOF'
import plistlib, struct, sys
tlv = lambda tag, value: tag + struct.pack('>I', len(value)) + value
n = lambda value: struct.pack('>I', value)
bag = tlv(b'UUID', bytes(16)) + tlv(b'SALT', bytes(20)) + tlv(b'ITER', n(2)) + tlv(b'DPIC', n(2)) + tlv(b'DPSL', bytes(20))
bag += tlv(b'UUID', bytes(16)) + tlv(b'CLAS', n(3)) + tlv(b'WRAP', n(2)) + tlv(b'WPKY', bytes(40))
plistlib.dump({'IsEncrypted': True, 'BackupKeyBag': bag, 'ManifestKey': n(3) + bytes(40)}, open(sys.argv[1], 'wb'))
EOF
fi
# Headers of encrypted volumes, with one keyslot and a sector of data.
if command -v cryptsetup >/dev/null; then
  truncate -s 20M "$work/luks1" "$work/luks2"
  format=(cryptsetup luksFormat --batch-mode --key-size 256 --key-file -)
  printf 123456 | quiet "${format[@]}" --type luks1 --pbkdf-force-iterations 1000 --align-payload 8 "$work/luks1"
  head -c 1100K "$work/luks1" >"$out/luks/luks1"
  printf 123456 | quiet "${format[@]}" --type luks2 --pbkdf-memory 32 --pbkdf-force-iterations 4 --luks2-metadata-size 16k \
    --luks2-keyslots-size 288k --offset 640 "$work/luks2"
  head -c 324K "$work/luks2" >"$out/luks/luks2"
fi
# The metadata of a BitLocker volume with one clear key; the target makes the checksum right.
if command -v python3 >/dev/null; then
  python3 - "$out/bitlocker/clear" <<'EOF'
import hashlib, struct, sys
try:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM
except ImportError:  # what is sealed then opens with no key
    AESCCM = None
entry = lambda kind, value, data: struct.pack('<4H', 8 + len(data), kind, value, 1) + data
def sealed(kind, key, nonce, method, data):
    plain = entry(0, 1, struct.pack('<I', method) + data)
    both = AESCCM(key, 16).encrypt(bytes([nonce]) * 12, plain, b'') if AESCCM else bytes(len(plain) + 16)
    return entry(kind, 5, bytes([nonce]) * 12 + both[-16:] + both[:-16])
clear, master = bytes(range(32)), bytes(32)
entries = entry(2, 8, bytes(28) + entry(0, 1, bytes(4) + clear) + sealed(0, clear, 1, 0x2003, master))
entries += sealed(3, master, 2, 0x8004, bytes(range(32))) + entry(15, 15, struct.pack('<2Q', 8192, 8192))
places = struct.pack('<3Q', 16384, 81920, 147456)
boot = bytearray(16384)
boot[0:13] = b'\xeb\x58\x90-FVE-FS-\0\2'
boot[160:200] = bytes.fromhex('3bd66749292ed84a8399f6a339e3d001') + places
body = b'-FVE-FS-' + struct.pack('<4H', (112 + len(entries) + 15) // 16, 2, 4, 4) + struct.pack('<Q2I', 212992, 0, 16) + places
body += struct.pack('<Q4I', 8192, 48 + len(entries), 1, 48, 48 + len(entries)) + bytes(20) + struct.pack('<I', 0x8004) + bytes(8) + entries
body += bytes(-len(body) % 16)
area = body + struct.pack('<2HI', 88, 2, 0) + sealed(0, master, 3, 0x2005, hashlib.sha256(body).digest())
open(sys.argv[1], 'wb').write(bytes(boot) + area.ljust(65536, b'\0') * 3)
EOF
fi
# A group of two volumes; LVM2 writes only to devices.
if command -v lvm >/dev/null && truncate -s 8M "$work/lvm" && device=$(losetup -f --show "$work/lvm" 2>/dev/null); then
  config="global{activation=0} devices{filter=[\"a|^$device\$|\",\"r|.*|\"] use_devicesfile=0} backup{backup=0 archive=0}"
  quiet lvm pvcreate --config "$config" -y --metadatasize 64k "$device"
  quiet lvm vgcreate --config "$config" -s 64k seed "$device"
  for name in a b; do quiet lvm lvcreate --config "$config" -an -Zn -Wn -y -l 2 -n "$name" seed; done
  losetup -d "$device"
  head -c 512K "$work/lvm" >"$out/lvm/group"
fi
for target in "$out"/*/; do
  [ -n "$(ls -A "$target")" ] || echo "fuzz: no seed for $(basename "$target"): the programs that make one are not here"
done
exit 0
