"""How an MQTT client ends without holding up who ends it."""

import threading

import paho.mqtt.client as paho


def stop_client(client: paho.Client, within_s: float) -> None:
    """Disconnect and let paho's thread end; one that does not in time is left to itself."""
    client.disconnect()
    # loop_stop waits for paho's thread without a limit, and that may hang in a name look-up or a dead connection.
    stopper = threading.Thread(target=client.loop_stop, name="mqtt-stop", daemon=True)
    stopper.start()
    stopper.join(within_s)
