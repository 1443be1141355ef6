package main

type embeddedCommand struct{}
