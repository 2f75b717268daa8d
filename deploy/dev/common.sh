# shellcheck shell=sh
# What the scripts of single servers share; they read it in.

random_port() { echo $(( $(od -An -N2 -tu2 /dev/urandom) % 12000 + 20000 )); }  # below those that clients are given

# Whether somebody listens on this port of loopback.
listens() {
  python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)' "$1" 2>/dev/null
}

# Whether there is a process of this number; 0 stands for none.
is_alive() { [ "$1" -gt 0 ] && kill -0 "$1" 2>/dev/null; }

# Asks a process to end, and returns when it has.
end() {
  kill "$1"
  while kill -0 "$1" 2>/dev/null; do sleep 0.05; done
}
