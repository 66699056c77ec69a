"""Ends TLS on port 443 and hands every byte on to a port of 127.0.0.1: the proxy before a process, for the walk of several machines."""
import socket
import ssl
import sys
import threading

port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


def pump(source, target):
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
    except OSError:
        pass
    finally:
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def serve(plain):
    try:
        with context.wrap_socket(plain, server_side=True) as outer, socket.create_connection(("127.0.0.1", port)) as inner:
            answers = threading.Thread(target=pump, args=(inner, outer))
            answers.start()
            pump(outer, inner)
            answers.join()
    except OSError as error:
        print(f"a connection ended: {error}", file=sys.stderr)


listener = socket.create_server(("0.0.0.0", 443))
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
