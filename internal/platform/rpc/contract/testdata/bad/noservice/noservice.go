package noservice // want "has no type Service"
