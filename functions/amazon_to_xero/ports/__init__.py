"""What the services need of the outside world, and which errors mean that nothing happened."""
